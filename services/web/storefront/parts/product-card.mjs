// A product in a list, and the grey shape of one.

import { h, link } from "../lib/dom.mjs";
import { money, t } from "../lib/text.mjs";
import { picture } from "./picture.mjs";
import { stars } from "./stars.mjs";

/** @param {object} product a ProductSummary of the API */
export function productCard(product) {
  return h(
    "li",
    { class: product.in_stock ? "product" : "product gone" },
    link(
      `/products/${product.id}`,
      {},
      picture({ url: product.picture, title: product.title, category: product.category.handle, id: product.id }),
      h("span", { class: "title" }, product.title),
      h("span", { class: "row" }, h("span", { class: "price" }, money(product.price)), product.rating.count > 0 && stars(product.rating)),
      !product.in_stock && h("span", { class: "badge" }, t("catalogue.sold_out")),
    ),
  );
}

/** The grid of a list. */
export function productGrid(products) {
  return h("ul", { class: "products" }, products.map(productCard));
}

/** The same while it is loaded. */
export function productBones(count) {
  const bone = () => h("li", { class: "product" }, h("span", { class: "picture bone" }), h("span", { class: "bone" }), h("span", { class: "bone short" }));
  return h("ul", { class: "products", "aria-hidden": true }, Array.from({ length: count }, bone));
}
