// A search, and without words all products.

import { get } from "../lib/api.mjs";
import { h } from "../lib/dom.mjs";
import { t } from "../lib/text.mjs";
import { categoryLinks } from "../parts/catalogue/categories.mjs";
import { list, listBones, readList } from "../parts/catalogue/list.mjs";
import { trail } from "../parts/catalogue/trail.mjs";

export default async function search(visit) {
  const [{ items: categories }, read] = await Promise.all([get("/categories", { signal: visit.signal }), readList(visit, {})]);
  const { q } = read.wish;
  return {
    title: heading(q),
    node: h(
      "div",
      { class: "page catalogue" },
      trail(),
      h("h1", { tabindex: -1 }, heading(q)),
      list(visit, read, { path: "/search", categories, elsewhere: categoryLinks(categories) }),
    ),
  };
}

export function skeleton({ query }) {
  return h("div", { class: "page catalogue", "aria-busy": true }, trail(), h("h1", {}, heading(query.get("q")?.trim())), listBones());
}

function heading(q) {
  return q ? t("catalogue.results_for", q) : t("catalogue.all");
}
