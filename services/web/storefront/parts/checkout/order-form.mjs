// The checkout's form: where to, how to pay, what it comes to, and the button that buys.

import { h, link, put } from "../../lib/dom.mjs";
import { go, next } from "../../lib/router.mjs";
import * as session from "../../lib/session.mjs";
import { money, t } from "../../lib/text.mjs";
import { form } from "../../parts/form.mjs";
import { delivery } from "./delivery.mjs";
import { payment } from "./payment.mjs";
import { totals } from "./totals.mjs";
import { sayRefusal } from "./coupon.mjs";

/**
 * @param {{read: object, addresses: object[], chosen?: object, total?: object, silent?: boolean}} of the cart; `chosen` the body
 *   of an order that was refused; `total` what the shop says that it costs, when the cart does not know yet; `silent`
 *   when something else says what is wrong with the coupon
 * @param {(body: object) => Promise<void>} pay
 * @returns {{node: Node, payment: Node, summary: Node, buy: Node}} with the nodes in which something can be
 *   said, and the one with the button
 */
export function orderForm({ read, addresses, chosen, total, silent }, pay) {
  const where = delivery(addresses, chosen?.address_id);
  const how = payment(chosen?.payment_token);
  const said = h("div", { class: "co-said" });
  const sold = read.items.filter(({ price }) => price);
  const sums = total && total.amount !== read.total.amount ? { ...read, total } : read;
  const coupon = read.coupon?.applies ? read.coupon.code : undefined;
  const short = sold.some(({ available }) => !available);

  const buy = short
    ? h("div", { class: "co-onward" }, h("p", { class: "co-trouble" }, t("checkout.sort_out")), link("/cart", { class: "button primary" }, t("checkout.to_cart")))
    : h("div", { class: "co-onward" }, h("button", { type: "submit", class: "button primary" }, t("checkout.pay", money(sums.total))), h("p", { class: "soft small" }, t("checkout.pay_detail")));
  const summary = h(
    "aside",
    { class: "co-summary", "aria-labelledby": "co-what" },
    h("div", { class: "co-what" }, h("h2", { id: "co-what" }, t("checkout.what")), link("/cart", {}, t("checkout.change"))),
    h("ul", { class: "co-items" }, sold.map(summaryLine)),
    sold.length < read.items.length && h("p", { class: "soft" }, t("checkout.left_out")),
    !silent && read.coupon && !read.coupon.applies && h("p", { class: "co-trouble" }, sayRefusal(read.coupon)),
    totals(sums, coupon),
    said,
    buy,
  );

  const submit = async (values) => {
    let address;
    try {
      address = await where.addressId(values);
    } catch (error) {
      if (error.status !== 401 || session.current()) throw error;
      await go(`/login?${next()}`);
      return;
    }
    const body = {
      items: sold.map(({ variant_id, quantity }) => ({ variant_id, quantity })),
      address_id: address,
      payment_token: values.card,
      expected_total: sums.total,
    };
    if (coupon) body.coupon = coupon;
    await pay(body);
  };
  const node = form({ class: "co-columns co-form" }, submit, h("div", { class: "co-parts" }, where.node, how.node), summary);
  return { node, payment: how.said, summary: said, buy };
}

function summaryLine({ title, options, quantity, total }) {
  return h(
    "li",
    {},
    h("span", { class: "co-name" }, title, options.length > 0 && h("span", { class: "soft" }, options.join(" · "))),
    h("span", { class: "soft" }, t("checkout.times", quantity)),
    h("span", { class: "price" }, money(total)),
  );
}

/** Says something at its place in the form, and goes there. */
export function sayIn(place, node) {
  put(place, node);
  node.querySelector("[tabindex]")?.focus({ preventScroll: true });
  node.scrollIntoView({ block: "center" });
}
