// Where a page stands in the shop: links to what is above it.

import { h, link } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";

/** @param {...[string, string]} steps address and text, the shop's front first */
export function trail(...steps) {
  const all = [["/", t("catalogue.front")], ...steps];
  return h("nav", { class: "trail", "aria-label": t("catalogue.trail") }, h("ol", {}, all.map(([href, text]) => h("li", {}, link(href, {}, text)))));
}
