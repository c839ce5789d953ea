// How many pieces: two buttons and a field between them. What is chosen is told at once; when it is sent is the caller's.

import { h, id } from "../../lib/dom.mjs";
import { icon } from "../../parts/icon.mjs";
import { t } from "../../lib/text.mjs";

const MOST = 99;

/**
 * @param {string} title of what is counted
 * @param {(quantity: number) => void} chosen 0 to 99
 * @returns {{node: Node, show: (quantity: number) => void}}
 */
export function stepper(title, chosen) {
  const name = id("quantity");
  const input = h("input", { id: name, inputmode: "numeric", autocomplete: "off", maxlength: 2, "aria-label": t("checkout.quantity_of", title) });
  let quantity = 1;
  const show = (now) => {
    quantity = now;
    if (document.activeElement !== input || Number(input.value) !== now) input.value = String(now);
    more.setAttribute("aria-disabled", String(now >= MOST));
  };
  const choose = (wanted) => {
    const now = Math.min(MOST, Math.max(0, wanted));
    if (now === quantity) return;
    show(now);
    chosen(now);
  };
  const typed = () => {
    const wanted = /^\d{1,2}$/.test(input.value.trim()) ? Number(input.value) : quantity;
    input.value = String(wanted);
    choose(wanted);
  };
  input.addEventListener("change", typed);
  for (const reached of ["focus", "click"]) input.addEventListener(reached, () => input.select());
  input.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    // Down by arrow stops at one: taking a line out is a decision of its own.
    if (step && quantity + step >= 1) choose(quantity + step);
    // Enter may take the line away: the same press must not go on to what has the focus then.
    if (step || event.key === "Enter") event.preventDefault();
    if (event.key === "Enter") typed();
  });
  const press = (sign, label, step) =>
    h("button", { type: "button", "aria-label": t(label, title), "aria-controls": name, onclick: () => choose(quantity + step) }, icon(sign));
  const less = press("minus", "checkout.fewer", -1);
  const more = press("plus", "checkout.more", 1);
  return { node: h("div", { class: "co-stepper", role: "group", "aria-label": t("checkout.quantity_of", title) }, less, input, more), show };
}
