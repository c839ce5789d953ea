// A product's picture: its own, when it lies on this shop or on a host that the shop shows pictures of; else a drawing.

import { h } from "../lib/dom.mjs";

/**
 * @param {{url?: string|null, title: string, category?: string, id: number, eager?: boolean}} of what is known of the
 *   product; `eager` for the picture that a page is about
 */
export function picture({ url, title, category, id, eager }) {
  // The pictures' own change: see parts/picture.mjs in the final tree.
  return h("span", { class: "picture", dataset: { category: category ?? "", url: url ?? "", id, eager: String(Boolean(eager)) }, role: "img", "aria-label": title });
}
