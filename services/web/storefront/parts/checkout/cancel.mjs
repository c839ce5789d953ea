// Cancelling an order: asked once more in a dialog, so that it is not done by a slip.

import { send } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { button } from "../../parts/form.mjs";
import { notice, sayProblem } from "../../parts/states.mjs";

/**
 * @param {object} order a paid one
 * @param {(order: object|null) => Promise<void>} done told the order as it is now, or null when it has to be read again
 * @returns {Node[]} the button and its dialog
 */
export function cancelling(order, done) {
  const trouble = h("div");
  const title = `cancel-${order.id}`;
  const keep = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("checkout.cancel_no"));
  const dialog = h(
    "dialog",
    { class: "co-dialog", "aria-labelledby": title },
    h("h2", { id: title }, t("checkout.cancel_ask")),
    h("p", {}, t("checkout.cancel_detail", money(order.total))),
    trouble,
    h(
      "div",
      { class: "actions" },
      button(t("checkout.cancel_yes"), { class: "button danger" }, cancel, (error) => put(trouble, notice("bad", h("p", {}, sayProblem(error).join(" "))))),
      keep,
    ),
  );

  async function cancel() {
    let now = null;
    try {
      now = await send("POST", `/orders/${order.id}/cancel`);
    } catch (error) {
      // It was shipped or cancelled meanwhile: it is read again, and says so itself.
      if (error.code !== "illegal_transition") throw error;
    }
    dialog.close();
    await done(now);
  }

  const open = () => {
    dialog.showModal();
    // What changes nothing is what Enter does.
    keep.focus();
  };
  const ask = h("button", { type: "button", class: "button danger", onclick: open }, t("checkout.cancel"));
  return [ask, dialog];
}
