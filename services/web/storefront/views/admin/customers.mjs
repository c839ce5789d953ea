// Customers by the beginning of their e-mail address, and one of them with the last orders (`?id=`).

import { get } from "../../lib/api.mjs";
import { h, link } from "../../lib/dom.mjs";
import { Problem } from "../../lib/problem.mjs";
import { day, dayAndTime, number, t } from "../../lib/text.mjs";
import { filters } from "../../parts/admin/filters.mjs";
import { facts, frame, frameOf, onlyStaff, section } from "../../parts/admin/frame.mjs";
import { list, table } from "../../parts/admin/table.mjs";
import { emailText } from "../../parts/admin/words.mjs";
import { field } from "../../parts/form.mjs";
import { empty } from "../../parts/states.mjs";
import { columns as orderColumns } from "./orders.mjs";

export const skeleton = frameOf("customers", 12);

export default async function (visit) {
  onlyStaff();
  const id = visit.query.get("id");
  return id ? one(visit, id) : all(visit);
}

async function all(visit) {
  const email = visit.query.get("email")?.trim() ?? "";
  const none = empty(t("admin.customers.none"), t("admin.customers.none_detail"), link("/admin/customers", { class: "button" }, t("admin.all")));
  const found = await list(visit, {
    path: "/admin/customers",
    query: email ? { email } : {},
    label: t("admin.customers.title"),
    columns: [
      { label: t("admin.customers.email"), cell: (customer) => link(`/admin/customers?id=${customer.id}`, {}, emailText(customer.email)) },
      { label: t("admin.customers.name"), cell: ({ name }) => name },
      { label: t("admin.customers.role"), cell: ({ role }) => roleBadge(role) },
      { label: t("admin.customers.since"), cell: ({ created_at: at }) => h("time", { datetime: at }, day(at)) },
    ],
    none,
  });
  const search = field("email", t("admin.customers.search"), { type: "search", inputmode: "email", value: email, maxlength: 254, required: true, autocomplete: "off" });
  const node = frame("customers", t("admin.customers.title"), filters("/admin/customers", [search]), found);
  return { title: t("admin.customers.title"), node };
}

function roleBadge(role) {
  return h("span", { class: role === "admin" ? "badge good" : "soft" }, t(`admin.customers.roles.${role}`));
}

async function one(visit, id) {
  if (!/^[0-9a-f-]{36}$/i.test(id)) throw new Problem(404, { code: "not_found" });
  const customer = await get(`/admin/customers/${id}`, { signal: visit.signal });
  const node = frame(
    "customers",
    customer.name,
    h(
      "div",
      { class: "admin-columns wide-left" },
      section(t("admin.customers.latest"), orders(customer)),
      section(
        t("admin.customers.about"),
        facts(
          [t("admin.customers.email"), customer.email],
          [t("admin.customers.role"), roleBadge(customer.role)],
          [t("admin.customers.since"), dayAndTime(customer.created_at)],
          [t("admin.customers.orders"), number(customer.orders)],
          [t("admin.customers.id"), h("span", { class: "mono" }, customer.id)],
        ),
        h("p", {}, link("/admin/customers", {}, t("admin.customers.back"))),
      ),
    ),
  );
  return { title: customer.name, node };
}

function orders({ email, orders: count, latest_orders: latest }) {
  if (latest.length === 0) return h("p", { class: "soft" }, t("admin.customers.no_orders"));
  return [
    table(t("admin.customers.latest"), orderColumns({ customer: false }), latest),
    count > latest.length && h("p", {}, link(`/admin/orders?${new URLSearchParams({ email })}`, {}, t("admin.customers.all_orders", count))),
  ];
}
