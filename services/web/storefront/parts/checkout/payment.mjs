// How to pay: the cards of the sandbox's bank, each of which says what will become of the payment.

import { h } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";

const CARDS = ["approve", "decline", "slow", "timeout", "lost", "late"];

/** @param {string} [chosen] a payment token of the API */
export function payment(chosen = "tok_approve") {
  const said = h("div", { class: "co-said" });
  const card = (name) =>
    h(
      "label",
      { class: "co-card" },
      h("input", { type: "radio", name: "card", value: `tok_${name}`, checked: chosen === `tok_${name}` }),
      h("span", { class: "co-card-text" }, h("strong", {}, t(`checkout.card_${name}`)), h("span", { class: "soft" }, t(`checkout.card_${name}_does`))),
    );
  const node = h(
    "fieldset",
    { class: "co-part" },
    h("legend", {}, h("h2", {}, t("checkout.how"))),
    h("p", { class: "soft" }, t("checkout.how_detail")),
    said,
    h("div", { class: "co-choices two" }, CARDS.map(card)),
  );
  return { node, said };
}
