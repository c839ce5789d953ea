// How many: a number between two buttons.

import { h, id } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { icon } from "../icon.mjs";

/** The API takes no more of one variant in a cart. */
export const MOST = 99;

/** @returns {{node: Element, value: () => number, limit: (most: number) => void}} */
export function quantity() {
  const name = id("quantity");
  let most = MOST;
  const input = h("input", { id: name, type: "number", inputmode: "numeric", min: 1, max: MOST, value: 1, autocomplete: "off" });
  const value = () => Math.min(Math.max(1, Math.trunc(Number(input.value)) || 1), most);
  const set = (pieces) => {
    input.value = String(pieces);
    input.value = String(value());
    less.disabled = value() <= 1;
    further.disabled = value() >= most;
  };
  const step = (by, label, sign) => h("button", { type: "button", "aria-label": label, onclick: () => set(value() + by) }, icon(sign));
  const less = step(-1, t("catalogue.one_less"), "minus");
  const further = step(1, t("catalogue.one_more"), "plus");
  input.addEventListener("change", () => set(value()));
  set(1);
  return {
    node: h("div", { class: "quantity" }, h("label", { for: name }, t("catalogue.quantity")), h("div", { class: "stepper" }, less, input, further)),
    value,
    limit: (pieces) => {
      most = Math.max(1, Math.min(pieces, MOST));
      input.max = String(most);
      set(value());
    },
  };
}
