// Subtotal, discount and total: of a cart, at the checkout and of an order.

import { h } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";

/** @param {{subtotal: object, discount: object, total: object}} sums  @param {string} [coupon] its code */
export function totals({ subtotal, discount, total }, coupon) {
  const row = (name, value, kind) => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "co-totals" },
    discount.amount > 0 && row(t("checkout.subtotal"), money(subtotal)),
    discount.amount > 0 && row(coupon ? t("checkout.discount_of", coupon) : t("checkout.discount"), `−${money(discount)}`, "off"),
    row(t("checkout.total"), money(total), "sum"),
  );
}
