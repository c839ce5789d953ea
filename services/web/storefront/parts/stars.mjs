// A rating as stars, said in words too.

import { h } from "../lib/dom.mjs";
import { number, t } from "../lib/text.mjs";

/** @param {{average: number|null, count: number}} rating the count is left out of the text when it is undefined */
export function stars({ average, count }) {
  if (average === null) return h("span", { class: "stars none" }, t("catalogue.no_ratings"));
  const said = number(average, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return h(
    "span",
    { class: "stars" },
    h("span", { class: "bar", role: "img", "aria-label": t("catalogue.stars", said), style: { "--part": `${average * 20}%` } }),
    count !== undefined && h("span", { class: "of" }, h("span", { class: "unseen" }, t("catalogue.ratings", count)), h("span", { "aria-hidden": true }, `(${number(count)})`)),
  );
}
