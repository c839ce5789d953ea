// Tables of the backoffice: rows that stack on a phone, and lists that go on page by page.

import { get } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { button } from "../form.mjs";
import { notice, sayProblem } from "../states.mjs";

const PAGE = 20;
/** What the API gives at once. */
const MOST = 100;

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(item: object) => (Node|string|Array)} cell
 * @property {string} [kind] "number" for what is compared down the column
 */

/**
 * A table of `items`; the first column names the row. Roles are said, because a table that is laid out otherwise on a
 * phone is none to some readers.
 * @param {string} label
 * @param {Column[]} columns
 */
export function table(label, columns, items) {
  const heads = columns.map((column) => h("th", { role: "columnheader", scope: "col", class: column.kind }, column.label));
  const element = h(
    "table",
    { class: "admin-table", role: "table", "aria-label": label },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h("tbody", { role: "rowgroup" }, items.map((item) => row(columns, item))),
  );
  return h("div", { class: "admin-scroll" }, element);
}

function row(columns, item) {
  const cells = columns.map(({ label, cell, kind }, i) => {
    const inside = h("div", { class: "cell" }, cell(item));
    if (i === 0) return h("th", { role: "rowheader", scope: "row" }, inside);
    return h("td", { role: "cell", class: kind, dataset: { label } }, inside);
  });
  return h("tr", { role: "row" }, cells);
}

/**
 * A list of the API as a table, with a button for more as long as there is more. How far somebody has read is kept with
 * the step of the history, so that coming back shows as much again.
 * @param {import("../../lib/router.mjs").Visit} visit
 * @param {{path: string, query?: Object<string, string>, label: string, columns: Column[], none: Node}} of `none` is shown instead of an
 *   empty table
 */
export async function list(visit, { path, query = {}, label, columns, none }) {
  const read = (more) => get(`${path}?${new URLSearchParams({ ...query, ...more })}`, { signal: visit.signal });
  let pages = visit.back ? Math.max(1, history.state?.pages ?? 1) : 1;
  let page = await read({ limit: Math.min(pages * PAGE, MOST) });
  const items = page.items;
  while (items.length < pages * PAGE && page.next_cursor) {
    page = await read({ limit: PAGE, cursor: page.next_cursor });
    items.push(...page.items);
  }
  if (items.length === 0) return none;

  const shown = table(label, columns, items);
  const said = h("p", { class: "unseen", role: "status" });
  const trouble = h("div");
  const more = button(t("admin.more"), {}, async () => {
    put(trouble);
    page = await read({ limit: PAGE, cursor: page.next_cursor });
    const rows = page.items.map((item) => row(columns, item));
    shown.querySelector("tbody").append(...rows);
    more.hidden = !page.next_cursor;
    put(said, t("admin.more_shown", rows.length));
    pages += 1;
    history.replaceState({ ...history.state, pages }, "");
    focusRow(rows[0]);
  }, (error) => {
    if (visit.signal.aborted) return;
    put(trouble, notice("bad", h("p", {}, sayProblem(error).join(" "))));
  });
  more.hidden = !page.next_cursor;
  return h("div", { class: "admin-list" }, shown, said, trouble, more);
}

function focusRow(first) {
  if (!first) return;
  const target = first.querySelector("a, button") ?? first;
  if (target === first) first.tabIndex = -1;
  target.focus();
}
