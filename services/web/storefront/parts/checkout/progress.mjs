// While an order is placed: calm words, and what to do when the shop cannot be asked at all.

import { h, link, put } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { button } from "../../parts/form.mjs";
import { sayProblem } from "../../parts/states.mjs";

/** Longer than this, it is said that the bank takes its time. */
const LONG_MS = 3500;

/** @param {object|null} total what is paid  @param {boolean} again whether the outcome of an earlier request is looked for */
export function paying(total, again, signal) {
  const detail = h("p", { role: "status" }, t(again ? "checkout.finding_out_detail" : "checkout.paying_detail"));
  const timer = setTimeout(() => put(detail, t("checkout.paying_long")), LONG_MS);
  signal.addEventListener("abort", () => clearTimeout(timer));
  return h(
    "div",
    { class: "co-progress", "aria-busy": true },
    h("span", { class: "co-beam", "aria-hidden": true }),
    h("h2", { tabindex: -1 }, again ? t("checkout.finding_out") : total ? t("checkout.paying", money(total)) : t("checkout.paying_plain")),
    detail,
  );
}

/** The shop does not answer. The intention is kept; `retry` asks again with the same key. */
export function stuck(problem, retry) {
  const [title] = problem ? sayProblem(problem) : [t("states.away")];
  return h(
    "div",
    { class: "co-progress", role: "alert" },
    h("span", { class: "co-beam still", "aria-hidden": true }),
    h("h2", { tabindex: -1 }, title),
    h("p", {}, t("checkout.stuck_detail")),
    h("div", { class: "actions" }, button(t("states.again"), { class: "button primary" }, retry), link("/orders", { class: "button" }, t("shop.orders"))),
  );
}
