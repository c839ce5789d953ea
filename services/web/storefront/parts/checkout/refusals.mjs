// What the shop refused when it was asked for an order, in words, and what the shopper can do about it.

import { h, link } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { button } from "../../parts/form.mjs";
import { notice, sayProblem } from "../../parts/states.mjs";

/**
 * @param {Problem} problem
 * @param {object[]} items of the cart
 * @param {{withoutCoupon: () => Promise<void>, takeLeft: (items: object[]) => Promise<void>, again: () => Promise<void>}} actions
 * @returns {{at: "payment"|"summary", node: Node}} beside what it is said
 */
export function refusal(problem, items, actions) {
  const said = (at, kind, title, detail, ...more) => ({
    at,
    node: notice(kind, h("p", { tabindex: -1, class: "co-refusal" }, h("strong", {}, title), detail && " ", detail), more),
  });
  const does = (...buttons) => h("div", { class: "actions" }, buttons);

  switch (kindOf(problem)) {
    case "payment_declined":
      return said("payment", "bad", t("checkout.declined"), t("checkout.declined_detail"));
    case "price_changed":
      return said("summary", "warn", t("checkout.price_changed"), t("checkout.price_changed_detail", money(problem.body.total)));
    case "out_of_stock": {
      const title = (id) => items.find(({ variant_id: variant }) => variant === id)?.title ?? t("checkout.withdrawn_title");
      const line = ({ variant_id: id, left }) =>
        h("li", {}, h("span", { class: "co-name" }, title(id)), h("span", {}, left > 0 ? t("checkout.only_left", left) : t("checkout.sold_out")));
      const short = problem.body.items ?? [];
      const nothingLeft = items.every(({ variant_id: id, price }) => !price || short.some((other) => other.variant_id === id && other.left === 0));
      const take = button(t(nothingLeft ? "checkout.take_out" : "checkout.take_left"), { class: "button small" }, () => actions.takeLeft(short));
      return said("summary", "warn", t("checkout.out_of_stock"), null, h("ul", { class: "co-short" }, short.map(line)), does(take, link("/cart", { class: "button small" }, t("checkout.to_cart"))));
    }
    case "coupon":
      return said("summary", "warn", t("checkout.coupon_gone"), t("checkout.coupon_gone_detail"), does(button(t("checkout.without_coupon"), { class: "button small" }, actions.withoutCoupon), link("/cart", { class: "button small" }, t("checkout.to_cart"))));
    case "address":
      return said("summary", "warn", t("checkout.address_gone"), t("checkout.address_gone_detail"));
    case "items":
      return said("summary", "warn", t("checkout.items_gone"), null, does(link("/cart", { class: "button small" }, t("checkout.to_cart"))));
    default:
      return said("summary", "bad", ...sayProblem(problem));
  }
}

/** The kind of refusal: by its code, or by the field that a 422 names. */
export function kindOf({ code, body }) {
  if (code === "coupon_not_applicable" || code === "coupon_used_up") return "coupon";
  if (code !== "validation_failed") return code;
  const fields = (body.errors ?? []).map(({ field }) => field);
  if (fields.includes("coupon")) return "coupon";
  if (fields.includes("address_id")) return "address";
  return fields.some((field) => field.startsWith("items")) ? "items" : code;
}
