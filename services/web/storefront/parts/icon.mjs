// Line icons, drawn on a grid of 24.

import { s } from "../lib/dom.mjs";

const PATHS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.8-4 3.8-6 7.500-6s6.700 2 7.500 6",
  cart: "M3 4h2.500l2 11h10l2-8H6.500M9 19.500h.01M16 19.500h.01",
  desk: "M3 8h18M6 8v12M18 8v12M9 8V4h6v4M6 14h12",
  star: "m12 3.500 2.600 5.400 5.900.8-4.300 4.100 1.100 5.900L12 16.800l-5.300 2.900 1.100-5.900L3.500 9.700l5.900-.8z",
  check: "m5 12.500 4.500 4.500L19 7.500",
  cross: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  next: "m9 5 7 7-7 7",
  filter: "M4 6h16M7 12h10M10 18h4",
  truck: "M3 6h11v10H3zM14 10h4l3 3v3h-7M7 19a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM17 19a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3z",
};

/** An icon that says nothing by itself: the text beside it, or the button's label, does. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": true, focusable: "false" }, s("path", { d: PATHS[name] }));
}
