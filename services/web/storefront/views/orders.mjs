// My orders: newest first, page by page.

import { get } from "../lib/api.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import * as session from "../lib/session.mjs";
import { dayAndTime, money, t } from "../lib/text.mjs";
import { shortName, stateBadge } from "../parts/checkout/order-state.mjs";
import { button } from "../parts/form.mjs";
import { bones, empty, say, sayProblem } from "../parts/states.mjs";

const PAGE = 12;

export function skeleton() {
  const bone = () => h("li", { class: "co-order" }, bones(2));
  return h("div", { class: "page co-orders", "aria-busy": true }, h("h1", {}, t("shop.orders")), h("ul", { class: "co-order-list", "aria-hidden": true }, [1, 2, 3, 4].map(bone)));
}

export default async function ({ signal }) {
  if (!session.current()) throw new Problem(401, { code: "unauthenticated" });
  const first = await get(`/orders?limit=${PAGE}`, { signal });
  const list = h("ul", { class: "co-order-list" }, first.items.map(row));
  const more = h("div", { class: "actions co-more" });
  let cursor = first.next_cursor;

  const offer = () => put(more, cursor && button(t("checkout.more_orders"), {}, add, (error) => !signal.aborted && say(sayProblem(error)[0], "bad")));
  async function add() {
    const page = await get(`/orders?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`, { signal });
    const rows = page.items.map(row);
    list.append(...rows);
    cursor = page.next_cursor;
    offer();
    rows[0]?.querySelector("a").focus();
  }

  offer();
  const nothing = empty(t("checkout.no_orders"), t("checkout.no_orders_detail"), link("/", { class: "button primary" }, t("checkout.look_around")));
  const content = first.items.length === 0 ? nothing : [list, more];
  return { title: t("shop.orders"), node: h("div", { class: "page co-orders" }, h("h1", { tabindex: -1 }, t("shop.orders")), content) };
}

function row(order) {
  const pieces = order.items.reduce((sum, { quantity }) => sum + quantity, 0);
  const [first] = order.items;
  return h(
    "li",
    { class: "co-order" },
    h("h2", {}, link(`/orders/${order.id}`, {}, dayAndTime(order.created_at), h("span", { class: "unseen" }, ` ${t("checkout.order_name", shortName(order.id))}`))),
    h("p", { class: "co-order-what" }, order.items.length > 1 ? t("checkout.and_more", first.title, order.items.length - 1) : first.title),
    h("p", { class: "soft" }, t("checkout.pieces", pieces), " · ", h("span", { class: "mono" }, shortName(order.id))),
    h("p", { class: "co-order-state" }, stateBadge(order.state)),
    h("p", { class: "co-order-sum price" }, money(order.total)),
  );
}
