// All products of the shop, published or not: found, and new ones made.

import { get } from "../../lib/api.mjs";
import { h, link } from "../../lib/dom.mjs";
import { dayAndTime, money, t } from "../../lib/text.mjs";
import { filters } from "../../parts/admin/filters.mjs";
import { fold, frame, frameOf, onlyStaff } from "../../parts/admin/frame.mjs";
import { newCategory, newProduct } from "../../parts/admin/new-product.mjs";
import { list } from "../../parts/admin/table.mjs";
import { field } from "../../parts/form.mjs";
import { empty } from "../../parts/states.mjs";

export const skeleton = frameOf("products", 14);

export default async function (visit) {
  onlyStaff();
  const query = asked(visit.query);
  const found = list(visit, {
    path: "/admin/products",
    query,
    label: t("admin.products.title"),
    columns: columns(),
    none: empty(t("admin.products.none"), t("admin.products.none_detail"), link("/admin/products", { class: "button" }, t("admin.all"))),
  });
  const [products, categories] = await Promise.all([found, get("/categories", { signal: visit.signal })]);
  const maker = newProduct(categories.items);
  const node = frame(
    "products",
    t("admin.products.title"),
    h(
      "div",
      { class: "admin-folds" },
      fold(t("admin.products.new"), {}, maker.node),
      fold(t("admin.products.new_category"), {}, newCategory(maker.addCategory)),
    ),
    filters("/admin/products", [
      field("q", t("admin.products.search"), { type: "search", value: query.q ?? "", maxlength: 200, required: true }),
      field("published", t("admin.products.state"), {
        choices: [["", t("admin.products.both")], ["true", t("admin.products.published")], ["false", t("admin.products.withdrawn")]],
        value: query.published ?? "",
        required: true,
      }),
    ]),
    products,
  );
  return { title: t("admin.products.title"), node };
}

function asked(query) {
  const all = { q: query.get("q")?.trim(), published: query.get("published") };
  if (!["true", "false"].includes(all.published)) delete all.published;
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

function columns() {
  return [
    { label: t("admin.products.product"), cell: ({ id, title }) => link(`/admin/products/${id}`, {}, title) },
    { label: t("admin.products.category"), cell: ({ category }) => category.name },
    { label: t("admin.products.price"), kind: "number", cell: ({ price }) => (price.amount > 0 ? money(price) : "–") },
    { label: t("admin.products.state"), cell: (product) => badges(product) },
    { label: t("admin.products.changed"), cell: ({ updated_at: at }) => h("time", { datetime: at }, dayAndTime(at)) },
  ];
}

function badges({ published, in_stock: inStock }) {
  return h(
    "span",
    { class: "badges" },
    published ? h("span", { class: "badge good" }, t("admin.products.published")) : h("span", { class: "badge warn" }, t("admin.products.withdrawn")),
    !inStock && h("span", { class: "badge bad" }, t("admin.products.sold_out")),
  );
}
