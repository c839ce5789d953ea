// Sales as bars by day, drawn in the pixels there are, so that its letters are as large on a phone as on a desk.

import { h, put, s } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { roughMoney, utcDay } from "./words.mjs";

const HEIGHT = 260;
const TOP = 26;
const BOTTOM = 30;
const LEFT = 58;
/** Room for the half of the last label that is wider than its bar. */
const RIGHT = 18;
/** A bar with less room has no value above it. */
const VALUE_FROM = 52;
/** What a label below needs. */
const LETTERS = 52;

/**
 * @param {{day: string, revenue: object, orders: number, units: number}[]} days every day of the range
 * @param {AbortSignal} signal
 */
export function salesChart(days, signal) {
  const drawing = h("div", { class: "drawing" });
  const reading = h("figcaption", { class: "soft" }, t("admin.overview.chart_hint"));
  const read = (day) => put(reading, day ? said(day) : t("admin.overview.chart_hint"));
  let drawn = 0;
  const watch = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width === drawn || width === 0) return;
    drawn = width;
    put(drawing, draw(days, width, read));
  });
  watch.observe(drawing);
  signal.addEventListener("abort", () => watch.disconnect());
  return h("figure", { class: "admin-chart" }, drawing, reading);
}

function said({ day, revenue, orders }) {
  return [h("strong", {}, utcDay(day, { dateStyle: "long" })), ` – ${money(revenue)}, ${t("admin.orders_count", orders)}`];
}

function draw(days, width, read) {
  const { currency } = days[0].revenue;
  const ticks = scale(Math.max(...days.map(({ revenue }) => revenue.amount)));
  const top = ticks.at(-1);
  const y = (amount) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - amount / top);
  const slot = (width - LEFT - RIGHT) / days.length;
  const every = Math.ceil(LETTERS / slot);
  const lines = ticks.map((amount) => [
    s("line", { x1: LEFT, x2: width, y1: y(amount), y2: y(amount), class: amount === 0 ? "ground" : "grid" }),
    s("text", { x: LEFT - 8, y: y(amount) + 4, class: "end" }, roughMoney({ amount, currency })),
  ]);
  const bars = days.map((day, i) => {
    const x = LEFT + slot * i;
    const { amount } = day.revenue;
    const thick = Math.min(slot * 0.68, 44);
    return s(
      "g",
      { class: "day", onpointerenter: () => read(day), onpointerleave: () => read(null) },
      s("rect", { x, y: TOP, width: slot, height: HEIGHT - TOP - BOTTOM, class: "room" }),
      amount > 0 && s("rect", { x: x + (slot - thick) / 2, y: y(amount), width: thick, height: Math.max(1, y(0) - y(amount)), class: "bar" }),
      amount > 0 && slot >= VALUE_FROM && s("text", { x: x + slot / 2, y: y(amount) - 7, class: "middle value" }, roughMoney(day.revenue)),
      (days.length - 1 - i) % every === 0 && s("text", { x: x + slot / 2, y: HEIGHT - 9, class: "middle" }, label(day.day, slot * every)),
    );
  });
  const about = t("admin.overview.chart_about", utcDay(days[0].day, { dateStyle: "long" }), utcDay(days.at(-1).day, { dateStyle: "long" }));
  return s("svg", { role: "img", "aria-label": about, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` }, lines, bars);
}

function label(day, room) {
  return utcDay(day, room < 56 ? { month: "numeric", day: "numeric" } : undefined);
}

/** Round steps from 0 to `most` or a little above. */
function scale(most) {
  const rough = Math.max(most, 100) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  return Array.from({ length: Math.ceil(Math.max(most, 100) / step) + 1 }, (_, i) => i * step);
}

/** Amounts beside their names as bars of HTML: `lines` are [name, money, pieces], `most` is the amount of a whole bar. */
export function categoryBars(lines, most) {
  const rows = lines.map(([name, revenue, units]) =>
    h(
      "li",
      {},
      h("span", { class: "name" }, name),
      h("span", { class: "amount" }, money(revenue), " ", h("span", { class: "soft" }, t("admin.pieces_count", units))),
      h("span", { class: "bar", "aria-hidden": true, style: { "--part": `${(100 * revenue.amount) / Math.max(most, 1)}%` } }),
    ),
  );
  return h("ol", { class: "admin-bars" }, rows);
}
