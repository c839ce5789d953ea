// The coupon below a cart: a field, or the code that is used with a way to take it off.

import { h, put } from "../../lib/dom.mjs";
import { button, field, form } from "../../parts/form.mjs";
import { hasText, money, t } from "../../lib/text.mjs";
import * as kept from "./kept.mjs";

const SHAPE = /^[A-Z0-9-]{3,32}$/;

/** Why the coupon takes nothing off, in the shopper's words. @param {object} coupon a CartCoupon of the API */
export function sayRefusal({ code, reason, minimum }) {
  if (reason === "below_minimum" && minimum) return t("checkout.coupon_refused.below_minimum", code, money(minimum));
  const name = `checkout.coupon_refused.${reason}`;
  return reason !== "below_minimum" && hasText(name) ? t(name, code) : t("checkout.coupon_refused.other", code);
}

/**
 * @param {() => Promise<void>} changed called when there is another code, or none: reads the cart anew
 * @returns {{node: Node, update: (coupon: object|null) => void}} `update` is told the cart's coupon
 */
export function couponField(changed) {
  const node = h("div", { class: "co-coupon" });

  const entry = (coupon) => {
    const about = coupon ? sayRefusal(coupon) : "";
    const input = field("coupon", t("checkout.coupon"), { value: coupon?.code ?? "", maxlength: 32, autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
    const say = (text) => {
      const line = input.querySelector(".about");
      line.textContent = text;
      line.classList.toggle("bad", text !== "");
    };
    input.querySelector(".about").setAttribute("role", "status");
    if (about) say(about);
    const element = form(
      {},
      async ({ coupon: typed }) => {
        const code = typed.trim().toUpperCase();
        if (code !== "" && !SHAPE.test(code)) {
          say(t("checkout.coupon_refused.unknown", code));
          return;
        }
        kept.keepCoupon(code === "" ? null : code);
        await changed();
        (node.querySelector("input, button") ?? node).focus();
      },
      input,
      h("button", { type: "submit", class: "button" }, t("checkout.coupon_use")),
    );
    return element;
  };

  const used = ({ code }) =>
    h(
      "p",
      { class: "co-coupon-used" },
      h("span", {}, t("checkout.coupon_used", code)),
      button(t("checkout.coupon_off"), { class: "button small", "aria-label": t("checkout.coupon_off_of", code) }, async () => {
        kept.keepCoupon(null);
        await changed();
        node.querySelector("input")?.focus();
      }),
    );

  let last;
  const update = (coupon) => {
    const now = JSON.stringify(coupon ?? null);
    if (now === last) return;
    last = now;
    put(node, coupon?.applies ? used(coupon) : entry(coupon));
  };
  return { node, update };
}
