// The shop's front: what it is, what is new, what others buy, and the ways in.

import { get } from "../lib/api.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { t } from "../lib/text.mjs";
import { hearCurrency } from "../parts/catalogue/currency.mjs";
import { categoryBones, categoryCards } from "../parts/catalogue/categories.mjs";
import { picture } from "../parts/picture.mjs";
import { productBones, productGrid } from "../parts/product-card.mjs";
import { empty, notice, sayProblem } from "../parts/states.mjs";

const SHOWN = 8;
const ON_THE_BEAM = 3;
/** Fewer do not make a ranking, nor a row. */
const FEWEST_BEST = 4;

export default async function home({ signal }) {
  signal.addEventListener("abort", () => {
    shape = null;
  });
  const reads = ["/products/new", "/products/best-sellers", "/categories"].map((path) => get(path, { signal }));
  const [fresh, best, categories] = await Promise.allSettled(reads);
  // One part that is missing does not take the page away; all of them are an outage.
  if ([fresh, best, categories].every((read) => read.status === "rejected")) throw fresh.reason;
  hearCurrency(fresh.value?.items ?? []);
  const all = [...(best.value?.items ?? []), ...(fresh.value?.items ?? [])];
  const isEmpty = fresh.value?.items.length === 0;
  // The front stays as it was painted while the answers were on their way.
  const node = shape ?? skeleton();
  shape = null;
  const front = node.firstElementChild;
  while (node.lastElementChild !== front) node.lastElementChild.remove();
  const carried = onTheBeam(all);
  if (carried.length > 0) put(front.querySelector(".beam"), carried);
  else front.querySelector(".beam").remove();
  const parts = [
    isEmpty && empty(t("catalogue.empty_shop"), t("catalogue.empty_shop_detail")),
    part("new", fresh, (items) => productGrid(items.slice(0, SHOWN)), "/search"),
    (best.status === "rejected" || best.value.items.length >= FEWEST_BEST) && part("best", best, (items) => productGrid(items.slice(0, SHOWN))),
    part("categories_title", categories, categoryCards),
  ];
  node.append(...parts.filter(Boolean));
  node.removeAttribute("aria-busy");
  return { meta: { type: "website", description: t("shop.description") }, node };
}

/** What is shown while the answers are on their way. */
let shape = null;

export function skeleton() {
  const bones = Array.from({ length: ON_THE_BEAM }, () => h("li", {}, h("span", { class: "picture bone" })));
  shape = h(
    "div",
    { class: "page catalogue home", "aria-busy": true },
    hero(bones),
    section("new", productBones(SHOWN), "/search"),
    section("categories_title", categoryBones(12)),
  );
  return shape;
}

function hero(carried) {
  return h(
    "section",
    { class: "hero" },
    h("div", { class: "says" }, h("h1", { tabindex: -1 }, t("catalogue.hero")), h("p", {}, t("catalogue.lead")), h("p", { class: "actions" }, link("/search", { class: "button primary" }, t("catalogue.all")))),
    h("ul", { class: "beam" }, carried),
    h("span", { class: "truss", "aria-hidden": true }),
  );
}

/** A few products of different categories, standing on the truss. */
function onTheBeam(products) {
  const seen = new Set();
  const chosen = products.filter(({ category, in_stock: inStock }) => inStock && !seen.has(category.handle) && seen.add(category.handle)).slice(0, ON_THE_BEAM);
  return chosen.map(({ id, title, category, picture: url }) => h("li", {}, link(`/products/${id}`, { "aria-label": title }, picture({ url, title, category: category.handle, id, eager: true }))));
}

function part(name, read, show, more) {
  if (read.status === "rejected") {
    const [title, detail] = sayProblem(read.reason);
    return section(name, notice("warn", h("p", {}, h("strong", {}, title), " ", detail)));
  }
  return read.value.items.length > 0 && section(name, show(read.value.items), more);
}

function section(name, content, more) {
  return h("section", { class: "part" }, h("div", { class: "head" }, h("h2", {}, t(`catalogue.${name}`)), more && link(more, {}, t("catalogue.see_all"))), content);
}
