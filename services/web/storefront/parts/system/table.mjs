// The replicas in words: what the drawing shows, and what each replica says of its own caches.

import { h } from "../../lib/dom.mjs";
import { number, t } from "../../lib/text.mjs";
import { amount, bytes, duration, order, write } from "./write.mjs";

const COLUMNS = {
  state: ({ replica, now }) => (replica.silent ? t("system.silent_for", Math.floor((now - replica.heard) / 1000)) : t("system.answers_now")),
  host: ({ instance }) => [instance?.host?.id, instance?.host?.type].filter(Boolean).join(" · ") || "–",
  zone: ({ instance }) => instance?.zone ?? "–",
  version: ({ instance }) => instance?.version ?? "–",
  uptime: ({ instance }) => (instance ? duration(instance.uptime_seconds) : "–"),
  per_second: ({ lately }) => number(lately.perSecond, { maximumFractionDigits: 1, minimumFractionDigits: 1 }),
  p50: ({ lately }) => amount(lately.p50),
  p99: ({ lately }) => amount(lately.p99),
  memory: ({ instance }) => bytes(instance?.memory_bytes),
  breaker: ({ instance }) => (instance ? t(`system.breakers.${instance.cache.redis.breaker}`) : "–"),
  from_memory: ({ instance }) => count(instance?.cache.memory.hits),
  from_redis: ({ instance }) => count(instance?.cache.redis.hits),
  from_database: ({ instance }) => count(instance?.cache.database.loads),
  stale: ({ instance }) => count(instance?.cache.database.stale),
};
const NUMBERS = new Set(["per_second", "p50", "p99", "memory", "from_memory", "from_redis", "from_database", "stale"]);

export class Table {
  #rows = new Map();
  #body = h("tbody");
  node;

  constructor() {
    const heads = Object.keys(COLUMNS).map((name) => h("th", { scope: "col", class: NUMBERS.has(name) ? "number" : null }, t(`system.columns.${name}`)));
    this.node = h(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": t("system.table") },
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("system.columns.name")), heads)), this.#body),
    );
  }

  show(book, now) {
    for (const [name, row] of this.#rows) {
      if (book.replicas.has(name)) continue;
      row.node.remove();
      this.#rows.delete(name);
    }
    for (const replica of book.replicas.values()) {
      if (!this.#rows.has(replica.name)) {
        this.#rows.set(replica.name, rowOf(replica));
        order(this.#body, this.#rows);
      }
      const row = this.#rows.get(replica.name);
      row.node.classList.toggle("silent", replica.silent);
      const known = { replica, instance: replica.instance, lately: book.lately(now, replica.name), now };
      for (const [name, say] of Object.entries(COLUMNS)) write(row.cells[name], say(known));
    }
  }
}

function rowOf({ name, colour }) {
  const cells = Object.fromEntries(Object.keys(COLUMNS).map((column) => [column, h("td", { class: NUMBERS.has(column) ? "number" : null })]));
  return { cells, node: h("tr", {}, h("th", { scope: "row", class: `name c${colour}` }, name), Object.values(cells)) };
}

function count(value) {
  return value === undefined ? "–" : number(value);
}
