// A category: its products with filters and order.

import { get } from "../lib/api.mjs";
import { h } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { t } from "../lib/text.mjs";
import { categoryLinks } from "../parts/catalogue/categories.mjs";
import { list, listBones, readList } from "../parts/catalogue/list.mjs";
import { categoryName } from "../parts/catalogue/names.mjs";
import { trail } from "../parts/catalogue/trail.mjs";

export default async function category(visit) {
  const { handle } = visit.params;
  const [{ items: categories }, read] = await Promise.all([
    get("/categories", { signal: visit.signal }),
    readList(visit, { category: handle }),
  ]);
  // The products of a category that is not there are none, which is no failure: the list of categories tells.
  const own = categories.find((one) => one.handle === handle);
  if (!own) throw new Problem(404, { code: "not_found" });
  const name = categoryName(own);
  const elsewhere = categoryLinks(categories.filter((one) => one !== own));
  return {
    title: name,
    meta: { type: "website", description: t("catalogue.category_description", name) },
    node: h(
      "div",
      { class: "page catalogue" },
      trail(),
      h("h1", { tabindex: -1 }, name),
      list(visit, read, { path: `/categories/${encodeURIComponent(handle)}`, categories, elsewhere }),
    ),
  };
}

export function skeleton() {
  return h("div", { class: "page catalogue", "aria-busy": true }, trail(), h("span", { class: "bone heading" }), listBones());
}
