// One order: how far it is, what was bought, where it goes and what became of the money. With `?placed=1` it is the
// confirmation of an order that was just placed.

import { get } from "../lib/api.mjs";
import * as cart from "../lib/cart.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { reload } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { dayAndTime, money, t } from "../lib/text.mjs";
import { addressText } from "../parts/address.mjs";
import { cancelling } from "../parts/checkout/cancel.mjs";
import { shortName, timeline } from "../parts/checkout/order-state.mjs";
import { totals } from "../parts/checkout/totals.mjs";
import { watch } from "../parts/checkout/watch.mjs";
import { button } from "../parts/form.mjs";
import { picture } from "../parts/picture.mjs";
import { bones, say } from "../parts/states.mjs";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function skeleton() {
  return h("div", { class: "page co-one", "aria-busy": true }, bones(1), h("div", { class: "co-columns", "aria-hidden": true }, bones(6), h("aside", { class: "co-summary" }, bones(4))));
}

export default async function (visit) {
  if (!UUID.test(visit.params.id)) throw new Problem(404, { code: "not_found" });
  if (!session.current()) throw new Problem(401, { code: "unauthenticated" });
  const order = await get(`/orders/${visit.params.id}`, { signal: visit.signal });
  const placed = visit.query.get("placed") === "1";
  const node = h("div", { class: "page co-one" });
  const status = h("p", { class: "unseen", role: "status" });
  const title = (now) => (placed ? t(`checkout.placed_${now.state}`) : t("checkout.order_name", shortName(now.id)));

  /** Shows the order as it is now, without taking the focus from whoever reads. */
  function show(now, slow = false) {
    const focused = node.contains(document.activeElement);
    put(node, h("header", { class: "co-head" }, h("h1", { tabindex: -1 }, title(now)), h("p", { class: "soft" }, t("checkout.placed_at", dayAndTime(now.created_at))), lead(now, placed, slow)), content(now, changed), status);
    if (focused) node.querySelector("h1").focus({ preventScroll: true });
  }

  async function changed(now) {
    show(now ?? (await get(`/orders/${order.id}`, { signal: visit.signal })));
    status.textContent = t(`checkout.payment_${now?.payment ?? "none"}`);
    if (now) say(t("checkout.cancelled_now"));
    else say(t("checkout.cancel_late"), "warn");
    node.querySelector("h1").focus();
  }

  async function follow() {
    const now = await watch(order.id, visit.signal);
    if (visit.signal.aborted) return;
    show(now ?? order, now === null);
    status.textContent = now ? t(`checkout.state_${now.state}`) : t("checkout.pending_slow");
    if (!now) return;
    document.title = `${title(now)} – Trestle`;
    // When it is paid, the shop has taken what was bought out of the cart.
    await cart.read({ signal: visit.signal }).catch(() => {});
  }

  show(order);
  if (order.state === "pending") follow();
  return { title: title(order), node };
}

/** What matters most just now. */
function lead(order, placed, slow) {
  if (order.state === "pending") {
    return [
      h("p", { class: "co-lead" }, t(slow ? "checkout.pending_slow" : "checkout.pending")),
      slow ? button(t("states.again"), { class: "button" }, reload) : h("span", { class: "co-beam", "aria-hidden": true }),
    ];
  }
  if (order.state === "failed") {
    return [h("p", { class: "co-lead" }, t("checkout.failed_detail")), h("div", { class: "actions" }, link("/cart", { class: "button primary" }, t("checkout.to_cart")))];
  }
  if (!placed || order.state === "cancelled") return null;
  return [
    h("p", { class: "co-lead" }, t("checkout.placed_detail", order.address.name)),
    h("div", { class: "actions" }, link("/", { class: "button primary" }, t("checkout.go_on")), link("/orders", { class: "button" }, t("shop.orders"))),
  ];
}

function content(order, changed) {
  const may = order.state === "paid" || order.state === "shipped";
  const part = (name, ...children) => h("section", { class: "co-fact" }, h("h2", {}, name), children);
  return h(
    "div",
    { class: "co-columns" },
    h(
      "div",
      { class: "co-parts" },
      h("section", { class: "co-way", "aria-label": t("checkout.way") }, timeline(order)),
      h("section", {}, h("h2", { class: "co-small-title" }, t("checkout.bought")), h("ul", { class: "co-lines" }, order.items.map((item) => line(item, may)))),
    ),
    h(
      "aside",
      { class: "co-summary", "aria-label": t("checkout.summary") },
      totals(order, order.coupon),
      part(t("checkout.payment"), h("p", {}, t(`checkout.payment_${order.payment}`))),
      part(t("checkout.address"), addressText(order.address)),
      order.shipped_at && part(t("checkout.tracking"), h("p", {}, order.carrier || t("checkout.carrier_unnamed")), order.tracking && h("p", { class: "mono co-name" }, order.tracking)),
      part(t("checkout.number"), h("p", { class: "mono soft co-id" }, order.id)),
      order.state === "paid" && h("div", {}, cancelling(order, changed)),
    ),
  );
}

function line(item, may) {
  return h(
    "li",
    { class: "co-line" },
    link(`/products/${item.product_id}`, { class: "co-picture", tabindex: -1, "aria-hidden": true }, picture({ title: item.title, id: item.product_id, colour: item.options.join(" ") })),
    h(
      "div",
      { class: "co-about" },
      h("h3", {}, link(`/products/${item.product_id}`, {}, item.title)),
      item.options.length > 0 && h("p", { class: "soft" }, item.options.join(" · ")),
      h("p", { class: "soft" }, t("checkout.times_each", item.quantity, money(item.price))),
      item.discount.amount > 0 && h("p", { class: "soft" }, t("checkout.line_discount", money(item.discount))),
    ),
    h("div", { class: "co-foot" }, may && link(`/products/${item.product_id}?review=1`, { class: "co-plain", "aria-label": t("checkout.review_of", item.title) }, t("checkout.review"))),
    h("p", { class: "co-sum price" }, money(item.total)),
  );
}
