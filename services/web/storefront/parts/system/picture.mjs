// The drawing of the tiers: browser, nginx, replicas, Redis and MySQL as boxes, the ways between them as lines. It is for
// the eye; parts/system/table.mjs says the same in words.

import { h, put, s } from "../../lib/dom.mjs";
import { number, t } from "../../lib/text.mjs";
import { LAYERS } from "./book.mjs";
import { amount, bytes, duration, order, place, share, write } from "./write.mjs";

export class Picture {
  #lines = s("svg", { class: "lines", "aria-hidden": true, focusable: "false" });
  #replicas = h("ul", { class: "replicas" });
  #cards = new Map();
  #nodes;
  #sheet;
  #stale = true;
  /** The ways that the dots go, once they have been drawn. */
  way = null;
  /** Where the dots are put. */
  air = h("div", { class: "air" });

  constructor() {
    this.#nodes = {
      browser: box("browser", t("system.browser"), ["rate", "in_flight"]),
      nginx: box("nginx", "nginx", ["answered", "failed"]),
      redis: box("redis", "Redis", ["share"]),
      mysql: box("mysql", "MySQL", ["share", "stale"]),
    };
    const { browser, nginx, redis, mysql } = this.#nodes;
    this.#sheet = h(
      "div",
      { class: "sheet", "aria-hidden": true },
      this.#lines,
      tier("edge", t("system.tier_edge"), browser.node, nginx.node),
      tier("api", t("system.tier_api"), this.#replicas),
      tier("data", t("system.tier_data"), redis.node, mysql.node),
      this.air,
    );
    // Only a change of the layout moves the lines: numbers keep their room.
    new ResizeObserver(() => {
      this.#stale = true;
    }).observe(this.#sheet);
  }

  get node() {
    return this.#sheet;
  }

  /** Writes what the book says. */
  show(book, stream, now) {
    const all = book.lately(now);
    const { browser, nginx, redis, mysql } = this.#nodes;
    write(browser.rate, t("system.a_second", number(stream.runs ? stream.rate : 0)));
    write(browser.in_flight, t("system.in_flight", stream.inFlight));
    write(nginx.answered, t("system.answers", number(book.totals.answered)));
    write(nginx.failed, t("system.failures", number(book.totals.failed)));
    nginx.failed.classList.toggle("bad", all.failed > 0);
    write(redis.share, share(all.layers.redis, all.answered));
    write(mysql.share, share(all.layers.database, all.answered));
    write(mysql.stale, all.layers.stale > 0 ? t("system.stale_now", all.layers.stale) : "");
    mysql.node.classList.toggle("bad", all.layers.stale > 0);
    const breakers = Array.from(book.replicas.values(), ({ silent, instance }) => !silent && instance?.cache.redis.breaker);
    redis.node.classList.toggle("bad", breakers.includes("open"));
    this.#showReplicas(book, now);
    if (this.#stale) this.#draw(book);
  }

  #showReplicas(book, now) {
    for (const [name, card] of this.#cards) {
      if (book.replicas.has(name)) continue;
      card.node.remove();
      this.#cards.delete(name);
      this.#stale = true;
    }
    for (const replica of book.replicas.values()) {
      if (!this.#cards.has(replica.name)) {
        const card = cardOf(replica);
        this.#cards.set(replica.name, card);
        order(this.#replicas, this.#cards);
        this.#stale = true;
      }
      const card = this.#cards.get(replica.name);
      if (card.node.classList.contains("silent") !== replica.silent) {
        card.node.classList.toggle("silent", replica.silent);
        this.#stale = true;
      }
      card.node.classList.toggle("fresh", !replica.silent && book.isFresh(replica, now));
      fillCard(card, replica, book.lately(now, replica.name), now);
    }
  }

  /** Lines from the places of the boxes: all is measured first, then drawn at once. */
  #draw(book) {
    this.#stale = false;
    const origin = this.#sheet.getBoundingClientRect();
    const at = (node) => {
      const { left, top, width, height } = node.getBoundingClientRect();
      return { left: left - origin.left, right: left - origin.left + width, top: top - origin.top, bottom: top - origin.top + height, x: left - origin.left + width / 2, y: top - origin.top + height / 2 };
    };
    const [browser, nginx, redis, mysql] = ["browser", "nginx", "redis", "mysql"].map((name) => at(this.#nodes[name].node));
    const stacked = at(this.#replicas).top > nginx.bottom - 1;
    this.way = { in: stacked ? [[browser.right, browser.y], [nginx.left, nginx.y]] : [[browser.x, browser.bottom], [nginx.x, nginx.top]], replicas: new Map() };
    const paths = [line(this.way.in, "rail")];
    for (const [name, { node }] of this.#cards) {
      const card = at(node);
      const ways = stacked ? stackedWays(card, nginx, redis, mysql) : wideWays(card, nginx, redis, mysql);
      this.way.replicas.set(name, ways);
      const { colour, silent } = book.replicas.get(name);
      // Where they run together they have nobody's colour.
      const kind = `rail${stacked ? "" : ` c${colour}`}${silent ? " silent" : ""}`;
      for (const points of Object.values(ways)) paths.push(line(points, kind));
    }
    put(this.#lines, paths);
  }
}

function wideWays(card, nginx, redis, mysql) {
  return {
    in: [[nginx.right, nginx.y], [card.left, card.y]],
    redis: [[card.right, card.y], [redis.left, redis.y]],
    mysql: [[card.right, card.y], [mysql.left, mysql.y]],
  };
}

/** On a phone the boxes stand on each other, so the ways go beside them. */
function stackedWays(card, nginx, redis, mysql) {
  const left = card.left / 2;
  const right = card.right + left;
  return {
    in: [[nginx.x, nginx.bottom], [nginx.x, nginx.bottom + 10], [left, nginx.bottom + 10], [left, card.y], [card.left, card.y]],
    redis: [[card.right, card.y], [right, card.y], [right, redis.top - 10], [redis.x, redis.top - 10], [redis.x, redis.top]],
    mysql: [[card.right, card.y], [right, card.y], [right, mysql.top - 10], [mysql.x, mysql.top - 10], [mysql.x, mysql.top]],
  };
}

function line(points, kind) {
  return s("polyline", { class: kind, points: points.map((point) => point.map(Math.round).join(",")).join(" ") });
}

function tier(name, title, ...children) {
  return h("div", { class: `tier ${name}` }, h("p", { class: "mark" }, h("span", {}, title)), h("div", { class: "boxes" }, children));
}

/** A box with its name and values, which are found by their names. */
function box(kind, title, values) {
  const parts = Object.fromEntries(values.map((name) => [name, h("span", { class: "value" })]));
  return { ...parts, node: h("div", { class: `box ${kind}` }, h("strong", {}, title), Object.values(parts)) };
}

function cardOf({ name, colour }) {
  const part = (kind) => h("span", { class: kind });
  const card = { where: part("where"), since: part("since"), perSecond: part("value"), p50: part("value"), p99: part("value"), memory: part("value"), bar: part("bar"), breaker: part("breaker"), layers: {} };
  for (const layer of LAYERS) card.layers[layer] = h("i", { class: layer });
  card.bar.append(...Object.values(card.layers));
  const figure = (label, value) => h("span", { class: "figure" }, h("span", { class: "label" }, label), value);
  card.node = h(
    "li",
    { class: `replica c${colour}` },
    h("div", { class: "who" }, h("strong", {}, name), card.since, card.where),
    h("div", { class: "figures" }, figure(t("system.per_second"), card.perSecond), figure("p50 ms", card.p50), figure("p99 ms", card.p99), figure(t("system.memory"), card.memory)),
    h("div", { class: "under" }, card.bar, card.breaker),
  );
  return card;
}

function fillCard(card, replica, lately, now) {
  const { instance } = replica;
  write(card.where, instance ? place(instance).join(" · ") : "…");
  write(card.since, replica.silent ? t("system.silent_for", Math.floor((now - replica.heard) / 1000)) : instance ? t("system.up", duration(instance.uptime_seconds)) : "");
  write(card.perSecond, number(lately.perSecond, { maximumFractionDigits: 1, minimumFractionDigits: 1 }));
  write(card.p50, amount(lately.p50));
  write(card.p99, amount(lately.p99));
  write(card.memory, bytes(instance?.memory_bytes));
  const breaker = instance?.cache.redis.breaker ?? "closed";
  write(card.breaker, t(`system.breakers.${breaker}`));
  card.breaker.classList.toggle("bad", breaker === "open");
  for (const layer of LAYERS) {
    const part = lately.answered === 0 ? "0" : String(Math.round((lately.layers[layer] / lately.answered) * 100));
    if (card.layers[layer].dataset.part === part) continue;
    card.layers[layer].dataset.part = part;
    card.layers[layer].style.setProperty("flex-grow", part);
  }
}
