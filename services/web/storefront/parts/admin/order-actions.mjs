// What staff can do about an order that is paid. Both may be said twice: the API does them once, so a lost answer is no
// reason to wonder.

import { request } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { reload } from "../../lib/router.mjs";
import { t } from "../../lib/text.mjs";
import { field, form } from "../form.mjs";
import { say } from "../states.mjs";
import { section } from "./frame.mjs";

export function orderActions(order) {
  if (order.state !== "paid") return section(t("admin.order.actions"), h("p", { class: "soft" }, t(`admin.order.nothing_to_do.${order.state}`)));
  return section(t("admin.order.actions"), h("div", { class: "admin-stack" }, shipForm(order), cancelPart(order)));
}

function shipForm({ id }) {
  return form(
    { class: "admin-form" },
    async (values) => {
      await act(id, "ship", { carrier: values.carrier.trim(), tracking: values.tracking.trim() }, t("admin.order.is_shipped"));
    },
    h("div", { class: "admin-pair" }, field("carrier", t("admin.order.carrier"), { maxlength: 100 }), field("tracking", t("admin.order.tracking"), { maxlength: 100, autocomplete: "off" })),
    h("button", { type: "submit", class: "button primary" }, t("admin.order.ship")),
  );
}

/** The way to cancel: it asks for the reason, and says what follows, before anything is done. */
function cancelPart(order) {
  const place = h("div", {});
  const closed = () => {
    const open = h("button", { type: "button", class: "button danger" }, t("admin.order.cancel"));
    open.addEventListener("click", () => {
      put(place, confirmation());
      place.querySelector("input").focus();
    });
    return h("div", { class: "actions" }, open);
  };
  const confirmation = () => {
    const back = h("button", { type: "button", class: "button" }, t("admin.order.keep"));
    back.addEventListener("click", () => {
      put(place, closed());
      place.querySelector("button").focus();
    });
    return form(
      { class: "admin-form admin-confirm" },
      async ({ reason }) => {
        await act(order.id, "cancel", { reason: reason.trim() }, t("admin.order.is_cancelled"));
      },
      h("p", {}, t("admin.order.cancel_detail")),
      field("reason", t("admin.order.reason"), { required: true, maxlength: 255, hint: t("admin.order.reason_hint") }),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button danger" }, t("admin.order.cancel_now")), back),
    );
  };
  return put(place, closed());
}

/** Does it and shows the order as it is then. Somebody else may have been quicker: that is said, and shown too. */
async function act(id, action, body, done) {
  try {
    await request("POST", `/admin/orders/${id}/${action}`, { body, headers: {}, repeat: true });
    say(done);
  } catch (error) {
    if (error.code !== "illegal_transition") throw error;
    say(t(`admin.order.cannot_${action}`), "warn");
  }
  await reload();
}
