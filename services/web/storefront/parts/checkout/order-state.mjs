// How far an order is: its state as a badge, its way as a short timeline, and what became of the money in words.

import { h } from "../../lib/dom.mjs";
import { dayAndTime, t } from "../../lib/text.mjs";
import { icon } from "../../parts/icon.mjs";

const KINDS = { pending: "warn", paid: "good", shipped: "good", cancelled: "", failed: "bad" };

export function stateBadge(state) {
  return h("span", { class: `badge ${KINDS[state]}` }, t(`checkout.state_${state}`));
}

/** @param {object} order an Order of the API */
export function timeline(order) {
  const step = (kind, text, time) =>
    h(
      "li",
      { class: kind, "aria-current": kind === "now" ? "step" : null },
      h("span", { class: "co-dot", "aria-hidden": true }, kind === "done" && icon("check"), kind === "bad" && icon("cross")),
      h("span", { class: "co-step" }, text),
      time && h("time", { datetime: time, class: "soft" }, dayAndTime(time)),
    );
  const placed = step("done", t("checkout.step_placed"), order.created_at);
  const ways = {
    pending: () => [placed, step("now", t("checkout.step_paying")), step("ahead", t("checkout.step_ship"))],
    paid: () => [placed, step("done", t("checkout.step_paid")), step("now", t("checkout.step_packing"))],
    shipped: () => [placed, step("done", t("checkout.step_paid")), step("done", t("checkout.step_shipped"), order.shipped_at)],
    cancelled: () => [placed, step("bad", t("checkout.step_cancelled"), order.updated_at)],
    failed: () => [placed, step("bad", t("checkout.step_failed"), order.updated_at)],
  };
  return h("ol", { class: "co-timeline" }, ways[order.state]());
}

/** A short name for an order: the end of its id, which differs most. */
export function shortName(id) {
  return id.slice(-8).toUpperCase();
}
