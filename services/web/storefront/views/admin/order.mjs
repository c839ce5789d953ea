// One order: what was bought by whom, and what staff do about it: hand it over, or cancel it.

import { get } from "../../lib/api.mjs";
import { h, link } from "../../lib/dom.mjs";
import { dayAndTime, money, number, t } from "../../lib/text.mjs";
import { facts, frame, frameOf, onlyStaff, section } from "../../parts/admin/frame.mjs";
import { orderActions } from "../../parts/admin/order-actions.mjs";
import { table } from "../../parts/admin/table.mjs";
import { orderBadge, shortId } from "../../parts/admin/words.mjs";
import { addressText } from "../../parts/address.mjs";

export const skeleton = frameOf("orders", 12);

export default async function (visit) {
  onlyStaff();
  const order = await get(`/admin/orders/${encodeURIComponent(visit.params.id)}`, { signal: visit.signal });
  const title = t("admin.order.title", shortId(order.id));
  const node = frame(
    "orders",
    [title, " ", orderBadge(order.state)],
    h(
      "div",
      { class: "admin-columns wide-left" },
      h("div", { class: "admin-stack" }, section(t("admin.order.lines"), lines(order), sums(order)), orderActions(order)),
      h("div", { class: "admin-stack" }, section(t("admin.order.about"), about(order)), section(t("admin.order.address"), addressText(order.address))),
    ),
  );
  return { title, node };
}

function lines({ items }) {
  const columns = [
    {
      label: t("admin.products.product"),
      cell: (line) => [link(`/admin/products/${line.product_id}`, {}, line.title), line.options.length > 0 && h("span", { class: "soft" }, ` ${line.options.join(" / ")}`)],
    },
    { label: t("admin.variants.sku"), cell: ({ sku }) => h("span", { class: "mono" }, sku || "–") },
    { label: t("admin.order.price"), kind: "number", cell: ({ price }) => money(price) },
    { label: t("admin.order.quantity"), kind: "number", cell: ({ quantity }) => number(quantity) },
    { label: t("admin.order.total"), kind: "number", cell: ({ total }) => money(total) },
  ];
  return table(t("admin.order.lines"), columns, items);
}

function sums({ subtotal, discount, total, coupon }) {
  const sum = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "admin-total" },
    discount.amount > 0 && [sum(t("admin.order.subtotal"), money(subtotal)), sum(t("admin.order.discount", coupon ?? ""), money({ ...discount, amount: -discount.amount }))],
    sum(t("admin.order.paid"), h("strong", {}, money(total))),
  );
}

function about(order) {
  return facts(
    [t("admin.order.id"), h("span", { class: "mono" }, order.id)],
    [t("admin.orders.customer"), link(`/admin/customers?id=${order.customer_id}`, {}, order.customer_email)],
    [t("admin.orders.placed"), dayAndTime(order.created_at)],
    [t("admin.order.changed"), dayAndTime(order.updated_at)],
    [t("admin.order.payment"), t(`admin.payments.${order.payment}`)],
    [t("admin.order.coupon"), order.coupon && link(`/admin/coupons?code=${order.coupon}`, {}, order.coupon)],
    [t("admin.order.shipped"), order.shipped_at && dayAndTime(order.shipped_at)],
    [t("admin.order.carrier"), order.carrier],
    [t("admin.order.tracking"), order.tracking && h("span", { class: "mono" }, order.tracking)],
  );
}
