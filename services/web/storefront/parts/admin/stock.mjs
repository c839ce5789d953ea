// The stock of a variant: how many there are, what came and went, and a difference that is entered with its reason.

import { get, newKey, send } from "../../lib/api.mjs";
import { h, link, put } from "../../lib/dom.mjs";
import { dayAndTime, number, t } from "../../lib/text.mjs";
import { button, field, form } from "../form.mjs";
import { bones, notice, say, sayProblem } from "../states.mjs";
import { table } from "./table.mjs";
import { atField, wording } from "./words.mjs";

const PAGE = 10;

/** Reads what it shows by itself: it is opened when the page has long been there. `heard` hears how many there are. */
export function stockPanel(id, name, signal, heard) {
  const ledger = h("div", { "aria-busy": true }, bones(3));
  const onHand = h("strong", {}, "…");
  const show = async () => {
    try {
      const stock = await get(`/admin/variants/${id}/stock?limit=${PAGE}`, { signal });
      put(onHand, number(stock.on_hand));
      heard(stock.on_hand);
      put(ledger, ledgerOf(id, name, stock, signal));
    } catch (error) {
      if (signal.aborted) return;
      put(ledger, notice("bad", h("p", {}, sayProblem(error).join(" "))), button(t("states.again"), {}, show));
    } finally {
      ledger.removeAttribute("aria-busy");
    }
  };
  show();
  return h(
    "div",
    { class: "admin-stock" },
    h("div", { class: "admin-stack" }, h("p", { class: "on-hand", role: "status" }, t("admin.stock.on_hand"), " ", onHand), adjustForm(id, show)),
    ledger,
  );
}

function adjustForm(id, done) {
  // One key for each intention: who presses again after a lost answer says the same once more.
  let key = newKey();
  let said = "";
  const reasons = h("datalist", { id: `reasons-${id}` }, ["delivery", "count", "broken", "returned"].map((reason) => h("option", { value: t(`admin.stock.reasons.${reason}`) })));
  return form(
    { class: "admin-form" },
    async (values, element) => {
      const body = { change: Number(values.change), reason: values.reason.trim() };
      if (body.change === 0) throw atField("change", t("admin.stock.not_zero"));
      if (said !== JSON.stringify(body)) key = newKey();
      said = JSON.stringify(body);
      const adjusted = await wording(() => send("POST", `/admin/variants/${id}/stock`, body, { key }));
      said = "";
      element.reset();
      say(t("admin.stock.adjusted", number(adjusted.on_hand)));
      await done();
    },
    h(
      "div",
      { class: "admin-pair" },
      field("change", t("admin.stock.change"), { type: "number", min: -1_000_000, max: 1_000_000, step: 1, required: true, hint: t("admin.stock.change_hint") }),
      field("reason", t("admin.stock.reason"), { required: true, maxlength: 255, list: `reasons-${id}`, autocomplete: "off" }),
    ),
    reasons,
    h("button", { type: "submit", class: "button primary" }, t("admin.stock.adjust")),
  );
}

function ledgerOf(id, name, stock, signal) {
  const columns = [
    { label: t("admin.stock.when"), cell: ({ created_at: at }) => h("time", { datetime: at }, dayAndTime(at)) },
    { label: t("admin.stock.quantity"), kind: "number", cell: ({ quantity }) => number(quantity, { signDisplay: "exceptZero" }) },
    { label: t("admin.stock.kind"), cell: ({ kind }) => t(`admin.stock.kinds.${kind}`) },
    { label: t("admin.stock.reason"), cell: ({ reason, order_id: order }) => (order ? link(`/admin/orders/${order}`, {}, t("admin.stock.order")) : reason || "–") },
  ];
  const shown = h("div", { class: "admin-list" });
  const rows = [...stock.items];
  let next = stock.next_cursor;
  const more = button(t("admin.more"), { class: "button small" }, async () => {
    const page = await get(`/admin/variants/${id}/stock?${new URLSearchParams({ limit: PAGE, cursor: next })}`, { signal });
    rows.push(...page.items);
    next = page.next_cursor;
    show();
  }, (error) => signal.aborted || say(sayProblem(error).join(" "), "bad"));
  const show = () => put(shown, table(t("admin.stock.ledger", name), columns, rows), next && more);
  show();
  return shown;
}
