// A product's picture: its own, when it lies on this shop or on a host that the shop shows pictures of; else a drawing of
// what it is, in its material's colours. The drawings are symbols in pictures/*.svg, parts/drawings.mjs says which is
// whose and parts/palette.mjs what colours it has.

import { h, s } from "../lib/dom.mjs";
import { drawingOf } from "./drawings.mjs";
import { coloursOf } from "./palette.mjs";

const HOSTS = (document.querySelector('meta[name="picture-hosts"]')?.content ?? "").split(/\s+/).filter(Boolean);
/** Where a sprite lies, however the storefront's files are versioned. */
const FOLDER = new URL("../pictures/", import.meta.url);

/**
 * One element of class `picture`. It is silent for screen readers unless it is `named`: nearly always the title is the
 * text beside it.
 * @param {object} of what is known of the product
 * @param {string|null} [of.url] its own picture
 * @param {string} [of.title]
 * @param {string} [of.category] the category's handle
 * @param {number|string} [of.id] products of one name differ in colour by it; without one the category decides
 * @param {string} [of.colour] the chosen variant's colour, for a drawing
 * @param {boolean} [of.eager] for the picture that a page is about
 * @param {boolean|string} [of.named] true says the title, a string itself
 */
export function picture({ url, title = "", category = "", id = 0, colour, eager = false, named = false }) {
  const name = named === true ? title : named || "";
  const draw = () => drawing({ title, category, id, colour, name });
  const address = allowed(url);
  const box = h("span", { class: "picture" });
  if (address === null) {
    box.append(draw());
    return box;
  }
  box.append(
    h("img", {
      alt: name,
      decoding: "async",
      loading: eager ? "eager" : "lazy",
      fetchpriority: eager && "high",
      onerror: () => box.replaceChildren(draw()),
      src: address,
    }),
  );
  return box;
}

/** The address of a product's own picture, if the shop may show it: the CSP, which names hosts by https, forbids every other. */
function allowed(url) {
  if (!url) return null;
  try {
    const address = new URL(url, location.origin);
    const ours = address.origin === location.origin || (address.protocol === "https:" && HOSTS.includes(address.host));
    return ours ? address.href : null;
  } catch {
    return null;
  }
}

function drawing({ title, category, id, colour, name }) {
  const { sheet, symbol } = drawingOf(title, category);
  return s(
    "svg",
    {
      viewBox: "0 0 100 100",
      fill: "var(--a)",
      stroke: "currentColor",
      // A large picture has finer lines: styles/base.css knows its size.
      "stroke-width": "var(--l, 1px)",
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      focusable: "false",
      style: coloursOf({ title, category, id, colour }),
      ...(name ? { role: "img", "aria-label": name } : { "aria-hidden": true }),
    },
    s("use", { href: `${new URL(`${sheet}.svg`, FOLDER).href}#${symbol}` }),
  );
}
