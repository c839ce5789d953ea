// All orders, newest first: found by state, customer, id and time. What is asked for stands in the address.

import { h, link } from "../../lib/dom.mjs";
import { dayAndTime, money, t } from "../../lib/text.mjs";
import { filters } from "../../parts/admin/filters.mjs";
import { frame, frameOf, onlyStaff } from "../../parts/admin/frame.mjs";
import { list } from "../../parts/admin/table.mjs";
import { emailText, orderBadge, shortId } from "../../parts/admin/words.mjs";
import { field } from "../../parts/form.mjs";
import { empty } from "../../parts/states.mjs";

const STATES = ["pending", "paid", "shipped", "cancelled", "failed"];
const DATE = /^\d{4}-\d\d-\d\d$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const skeleton = frameOf("orders", 14);

export default async function (visit) {
  onlyStaff();
  const asked = Object.fromEntries(visit.query);
  const query = queryOf(asked);
  const none = empty(t("admin.orders.none"), t("admin.orders.none_detail"), link("/admin/orders", { class: "button" }, t("admin.all")));
  // An id that is none has no order: that needs no request.
  const found = query ? await list(visit, { path: "/admin/orders", query, label: t("admin.orders.title"), columns: columns(), none }) : none;
  const input = (name, attributes) => field(name, t(`admin.orders.${name}`), { value: asked[name] ?? "", required: true, ...attributes });
  const node = frame(
    "orders",
    t("admin.orders.title"),
    filters("/admin/orders", [
      input("state", { choices: [["", t("admin.orders.any_state")], ...STATES.map((state) => [state, t(`admin.order_states.${state}`)])] }),
      input("email", { type: "search", inputmode: "email", maxlength: 254, autocomplete: "off" }),
      input("id", { type: "search", maxlength: 36, autocomplete: "off" }),
      input("from", { type: "date" }),
      input("until", { type: "date" }),
    ]),
    found,
  );
  return { title: t("admin.orders.title"), node };
}

/** The query of the API for that of the address; null when nothing can be found. Days are those of the reader's clock. */
function queryOf({ state, email, id, from, until }) {
  const query = {};
  if (STATES.includes(state)) query.state = state;
  if (email?.trim()) query.email = email.trim();
  if (id?.trim()) {
    if (!UUID.test(id.trim())) return null;
    query.id = id.trim().toLowerCase();
  }
  if (DATE.test(from ?? "")) query.from = startOf(from, 0);
  if (DATE.test(until ?? "")) query.until = startOf(until, 1);
  return query;
}

function startOf(date, later) {
  const at = new Date(`${date}T00:00`);
  at.setDate(at.getDate() + later);
  return at.toISOString();
}

/** The columns of a list of orders; without the customer on the customer's own page. */
export function columns({ customer = true } = {}) {
  const all = [
    { label: t("admin.orders.order"), cell: ({ id }) => link(`/admin/orders/${id}`, { class: "mono", title: id }, shortId(id)) },
    { label: t("admin.orders.placed"), cell: ({ created_at: at }) => h("time", { datetime: at }, dayAndTime(at)) },
    customer && { label: t("admin.orders.customer"), cell: ({ customer_id: id, customer_email: email }) => link(`/admin/customers?id=${id}`, {}, emailText(email)) },
    { label: t("admin.orders.state"), cell: ({ state }) => orderBadge(state) },
    { label: t("admin.orders.total"), kind: "number", cell: ({ total }) => money(total) },
  ];
  return all.filter(Boolean);
}
