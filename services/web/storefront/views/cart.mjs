// The cart: what is in it, what has changed since it was last seen, and what it comes to.

import { get } from "../lib/api.mjs";
import * as cart from "../lib/cart.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { reload } from "../lib/router.mjs";
import { money, t } from "../lib/text.mjs";
import { couponField } from "../parts/checkout/coupon.mjs";
import * as intention from "../parts/checkout/intention.mjs";
import * as kept from "../parts/checkout/kept.mjs";
import { cartLine } from "../parts/checkout/line.mjs";
import { totals } from "../parts/checkout/totals.mjs";
import * as writes from "../parts/checkout/writes.mjs";
import { bones, empty, notice, say, sayProblem } from "../parts/states.mjs";

export function skeleton() {
  const line = () => h("li", { class: "co-line" }, h("span", { class: "co-picture bone" }), h("div", { class: "co-about" }, bones(2)));
  return h(
    "div",
    { class: "page co-cart", "aria-busy": true },
    h("h1", {}, t("checkout.cart")),
    h("div", { class: "co-columns", "aria-hidden": true }, h("ul", { class: "co-lines" }, [1, 2, 3].map(line)), h("aside", { class: "co-summary" }, bones(3))),
  );
}

export default async function (visit) {
  await writes.settled();
  let read;
  try {
    read = await cart.read({ coupon: kept.coupon(), signal: visit.signal });
  } catch (error) {
    if (!(error instanceof Problem) || !error.isOutage) throw error;
    return { title: t("checkout.cart"), node: away(error) };
  }
  return { title: t("checkout.cart"), node: page(visit, read) };
}

/** The shop cannot say what is in the cart: nothing is lost, and it is said. */
function away(error) {
  const [title, detail] = error.code === "offline" ? sayProblem(error) : [t("checkout.cart_away"), t("checkout.cart_away_detail")];
  return h(
    "div",
    { class: "page co-cart" },
    h("h1", { tabindex: -1 }, t("checkout.cart")),
    empty(title, detail, h("button", { type: "button", class: "button primary", onclick: reload }, t("states.again"))),
  );
}

function page(visit, first) {
  const before = kept.seen();
  const lines = new Map();
  const list = h("ul", { class: "co-lines" });
  const sums = h("div");
  const onward = h("div", { class: "co-onward" });
  const status = h("p", { class: "unseen", role: "status" });
  const coupon = couponField(() => writes.inTurn(refresh));
  const summary = h("aside", { class: "co-summary", "aria-label": t("checkout.summary") }, sums, coupon.node, onward);
  const nothing = h("div", { hidden: true }, empty(t("checkout.empty"), t("checkout.empty_detail"), link("/", { class: "button primary" }, t("checkout.look_around"))));
  const columns = h("div", { class: "co-columns" }, h("div", {}, list, nothing), summary);
  const left = new Map();

  function show(now) {
    for (const item of now.items) {
      const id = item.variant_id;
      if (!lines.has(id)) {
        lines.set(id, cartLine(item, before[id], { choose: (quantity) => choose(id, quantity) }));
        list.append(lines.get(id).node);
      }
      // A line whose next change is still to be sent shows what was chosen, not what the shop knew before.
      if (!writes.isWaiting(id)) lines.get(id).update(item, left.get(id));
      lines.get(id).item = item;
    }
    for (const [id, line] of lines) {
      const gone = !now.items.some((item) => item.variant_id === id);
      // Taken out in another tab.
      if (gone && !line.node.classList.contains("gone")) line.removed(line.item.price && (() => choose(id, line.item.quantity)));
    }
    nothing.hidden = now.items.length > 0;
    summary.hidden = now.items.length === 0;
    columns.classList.toggle("bare", now.items.length === 0);
    put(sums, totals(now, now.coupon?.applies ? now.coupon.code : undefined));
    coupon.update(now.coupon ?? null);
    put(onward, toCheckout(now));
    kept.keepSeen(now.items, before);
    askWhatIsLeft(now.items);
  }

  async function refresh() {
    const now = await cart.read({ coupon: kept.coupon(), signal: visit.signal });
    show(now);
    status.textContent = t("checkout.total_now", money(now.total));
  }

  function choose(id, quantity) {
    const line = lines.get(id);
    const was = line.item.quantity;
    left.delete(id);
    if (quantity === 0) {
      writes.forget(id);
      line.removed(line.item.price && (() => choose(id, was)));
      writes.inTurn(() => change(() => cart.remove(id)));
    } else if (line.node.classList.contains("gone")) {
      line.update(line.item);
      line.node.querySelector("input, button")?.focus();
      writes.inTurn(() => change(() => cart.set(id, quantity)));
    } else {
      writes.soon(id, () => change(() => cart.set(id, quantity)));
    }
  }

  async function change(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      say(t("checkout.not_changed", sayProblem(error)[0]), "bad");
    }
    if (!visit.signal.aborted) await refresh().catch((error) => console.warn(String(error)));
  }

  /** Too few are left of some lines: how many, their products tell. */
  async function askWhatIsLeft(items) {
    for (const item of items.filter(({ available, price, variant_id: id }) => !available && price && !left.has(id))) {
      left.set(item.variant_id, undefined);
      const product = await get(`/products/${item.product_id}`, { signal: visit.signal }).catch(() => null);
      const variant = product?.variants.find(({ id }) => id === item.variant_id);
      if (!variant || visit.signal.aborted) continue;
      left.set(item.variant_id, variant.in_stock ? (variant.left ?? null) : 0);
      const line = lines.get(item.variant_id);
      if (!line.node.classList.contains("gone")) line.update(line.item, left.get(item.variant_id));
    }
  }

  const open = intention.current() && notice("warn", h("p", {}, t("checkout.still_open"), " ", link("/checkout", {}, t("checkout.still_open_link"))));
  // The browser may bring back the page as it was, with what has been bought since.
  addEventListener("pageshow", (event) => event.persisted && reload(), { signal: visit.signal });
  visit.signal.addEventListener("abort", () => writes.settled());
  show(first);
  return h("div", { class: "page co-cart" }, h("h1", { tabindex: -1 }, t("checkout.cart")), open, columns, status);
}

function toCheckout({ items }) {
  if (items.some(({ available, price }) => price && !available)) return h("p", { class: "co-trouble" }, t("checkout.sort_out"));
  if (!items.some(({ price }) => price)) return h("p", { class: "co-trouble" }, t("checkout.none_sold"));
  return link("/checkout", { class: "button primary" }, t("checkout.to_checkout"));
}
