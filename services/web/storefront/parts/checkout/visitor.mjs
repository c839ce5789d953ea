// The checkout of somebody who has not logged in: what is there to choose, without a request that would be refused.

import { h, link } from "../../lib/dom.mjs";
import { next } from "../../lib/router.mjs";
import { t } from "../../lib/text.mjs";

/** @param {boolean} open whether an order was being placed when the session ended */
export function visitor(open) {
  const choice = (title, detail, href, kind, action) => h("section", { class: "co-choice" }, h("h2", {}, title), h("p", { class: "soft" }, detail), link(href, { class: `button ${kind}` }, action));
  return h(
    "div",
    { class: "page co-visitor" },
    h("h1", { tabindex: -1 }, t("checkout.checkout")),
    h("p", { class: "soft" }, t(open ? "checkout.visitor_open" : "checkout.visitor")),
    h(
      "div",
      { class: "co-doors" },
      choice(t("checkout.known"), t("checkout.known_detail"), `/login?${next()}`, "primary", t("shop.log_in")),
      choice(t("checkout.new"), t("checkout.new_detail"), `/register?${next()}`, "", t("checkout.create_account")),
    ),
    h("p", {}, link("/cart", {}, t("checkout.to_cart"))),
  );
}
