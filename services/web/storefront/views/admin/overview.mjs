// The backoffice's first page: what was sold lately, of what, and what was done by whom.

import { get } from "../../lib/api.mjs";
import { h, link } from "../../lib/dom.mjs";
import { dayAndTime, hasText, money, number, t } from "../../lib/text.mjs";
import { categoryBars, salesChart } from "../../parts/admin/chart.mjs";
import { fold, frame, frameOf, onlyStaff, section } from "../../parts/admin/frame.mjs";
import { list, table } from "../../parts/admin/table.mjs";
import { emailText, shortId, utcDay } from "../../parts/admin/words.mjs";

const RANGES = [14, 30];
/** So many categories are shown at once, those that sold most. */
const CATEGORIES = 8;
const DAY_MS = 86_400_000;

export const skeleton = frameOf("overview", 12);

export default async function (visit) {
  onlyStaff();
  const count = RANGES.find((range) => String(range) === visit.query.get("days")) ?? RANGES[0];
  const days = lastDays(count);
  const sales = (by) => get(`/admin/sales?from=${days[0]}&until=${days.at(-1)}&by=${by}`, { signal: visit.signal });
  const [byDay, byCategory, log] = await Promise.all([sales("day"), sales("category"), logList(visit)]);
  const lines = days.map((day) => byDay.items.find((item) => item.day === day) ?? nothing(day, byDay.total.revenue.currency));
  const node = frame(
    "overview",
    t("admin.overview.title"),
    h("div", { class: "admin-bar" }, ranges(count), h("p", { class: "soft" }, t("admin.overview.utc"))),
    sums(byDay.total),
    section(
      t("admin.overview.by_day"),
      salesChart(lines, visit.signal),
      fold(t("admin.overview.as_table"), {}, dayTable(lines)),
    ),
    categories(byCategory),
    section(t("admin.overview.log"), log),
  );
  return { title: t("admin.overview.title"), node };
}

/** The last `count` days until today, as UTC counts them. */
function lastDays(count) {
  const now = Date.now();
  return Array.from({ length: count }, (_, i) => new Date(now - (count - 1 - i) * DAY_MS).toISOString().slice(0, 10));
}

function nothing(day, currency) {
  return { day, orders: 0, units: 0, revenue: { amount: 0, currency } };
}

function ranges(count) {
  const links = RANGES.map((range) => link(`/admin?days=${range}`, { "aria-current": range === count ? "true" : null }, t("admin.overview.days", range)));
  return h("nav", { class: "admin-switch", "aria-label": t("admin.overview.range") }, links);
}

function sums({ revenue, orders, units }) {
  const sum = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "admin-sums" },
    sum(t("admin.overview.revenue"), money(revenue)),
    sum(t("admin.overview.orders"), number(orders)),
    sum(t("admin.overview.units"), number(units)),
    sum(t("admin.overview.mean"), orders > 0 ? money({ ...revenue, amount: Math.round(revenue.amount / orders) }) : "–"),
  );
}

function dayTable(lines) {
  const columns = [
    { label: t("admin.overview.day"), cell: ({ day }) => utcDay(day, { dateStyle: "medium" }) },
    { label: t("admin.overview.revenue"), kind: "number", cell: ({ revenue }) => money(revenue) },
    { label: t("admin.overview.orders"), kind: "number", cell: ({ orders }) => number(orders) },
    { label: t("admin.overview.units"), kind: "number", cell: ({ units }) => number(units) },
  ];
  return table(t("admin.overview.by_day"), columns, lines.toReversed());
}

function categories({ items }) {
  const lines = items
    .toSorted((one, other) => other.revenue.amount - one.revenue.amount)
    .map(({ category, revenue, units }) => [category?.name ?? "–", revenue, units]);
  const [most, rest] = [lines.slice(0, CATEGORIES), lines.slice(CATEGORIES)];
  return section(
    t("admin.overview.by_category"),
    lines.length > 0 ? categoryBars(most, most[0][1].amount) : h("p", { class: "soft" }, t("admin.overview.nothing_sold")),
    rest.length > 0 && fold(t("admin.overview.more_categories", rest.length), {}, categoryBars(rest, most[0][1].amount)),
  );
}

function logList(visit) {
  const columns = [
    { label: t("admin.log.what"), cell: (entry) => [action(entry.action), " ", subject(entry.subject)] },
    { label: t("admin.log.detail"), cell: ({ detail }) => h("span", { class: "mono" }, detail || "–") },
    { label: t("admin.log.who"), cell: ({ admin_email: email }) => (email ? emailText(email) : t("admin.log.command")) },
    { label: t("admin.log.when"), cell: ({ at }) => h("time", { datetime: at }, dayAndTime(at)) },
  ];
  return list(visit, { path: "/admin/log", label: t("admin.overview.log"), columns, none: h("p", { class: "soft" }, t("admin.log.none")) });
}

function action(name) {
  return hasText(`admin.actions.${name}`) ? t(`admin.actions.${name}`) : name;
}

function subject({ kind, id }) {
  const address = { product: `/admin/products/${id}`, order: `/admin/orders/${id}`, coupon: `/admin/coupons?code=${id}`, customer: `/admin/customers?id=${id}` }[kind];
  const isLong = ["order", "customer"].includes(kind);
  return address ? link(address, { class: isLong && "mono" }, isLong ? shortId(id) : id) : id;
}
