// The categories: with a drawing each on the front page, as plain links where a search came to nothing.

import { h, link } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { picture } from "../picture.mjs";
import { categoryName } from "./names.mjs";

export function categoryCards(categories) {
  return h("ul", { class: "categories" }, categories.map((category) => h("li", {}, link(`/categories/${category.handle}`, {}, picture({ category: category.handle }), h("span", {}, categoryName(category))))));
}

/** The same while they are loaded. */
export function categoryBones(count) {
  return h("ul", { class: "categories", "aria-hidden": true }, Array.from({ length: count }, () => h("li", {}, h("span", { class: "picture bone" }), h("span", { class: "bone" }))));
}

export function categoryLinks(categories) {
  if (categories.length === 0) return null;
  return h("nav", { class: "elsewhere", "aria-label": t("catalogue.categories_title") }, h("p", {}, t("catalogue.look_here")), h("ul", {}, categories.map((category) => h("li", {}, link(`/categories/${category.handle}`, {}, categoryName(category))))));
}
