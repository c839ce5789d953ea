// The list of a category and of a search: filters, order, and pages by "show more". All of it stands in the address, so
// that reload, back and a shared link show the same.

import { get } from "../../lib/api.mjs";
import { h, id, link, put } from "../../lib/dom.mjs";
import { rename } from "../../lib/router.mjs";
import { minorUnits, t } from "../../lib/text.mjs";
import { button } from "../form.mjs";
import { productBones, productCard } from "../product-card.mjs";
import { empty, notice, say, sayProblem } from "../states.mjs";
import { heardCurrency, hearCurrency, shopCurrency } from "./currency.mjs";
import { filters } from "./filters.mjs";
import { addressOfWish, apiQuery, filtersSet, PAGE, readWish } from "./query.mjs";

/** The API gives 100 at most; whole pages of them are read at once when a reader comes back. */
const LARGEST_READ = 4 * PAGE;

/**
 * Reads what the address asks for.
 * @param {{category?: string}} fixed what the page itself stands for
 */
export async function readList(visit, fixed) {
  const wish = { ...readWish(visit.query), ...fixed };
  const currency = wish.min || wish.max ? await shopCurrency(visit.signal) : heardCurrency();
  const found = await readPages(wish, currency, visit.signal);
  return { wish, fixed, found, currency: currency ?? (await shopCurrency(visit.signal)) };
}

/** Products from the first to the last page that was shown. */
async function readPages(wish, currency, signal) {
  const query = apiQuery(wish, currency ? minorUnits(currency) : 1);
  const all = wish.pages * PAGE;
  const items = [];
  let cursor = null;
  do {
    query.set("limit", Math.min(all - items.length, LARGEST_READ));
    if (cursor) query.set("cursor", cursor);
    const answer = await get(`/products?${query}`, { signal });
    items.push(...answer.items);
    cursor = answer.next_cursor ?? null;
  } while (cursor && items.length < all);
  hearCurrency(items);
  return { items, cursor };
}

/**
 * The list's part of the page.
 * @param {object} read what readList answered
 * @param {{path: string, categories: Array, elsewhere?: Node}} page `elsewhere` is shown where nothing was found
 */
export function list(visit, read, { path, categories, elsewhere }) {
  const { fixed, currency } = read;
  let { wish, found } = read;
  let asking = new AbortController();
  const grid = h("ul", { class: "products" });
  const count = h("p", { class: "count", role: "status" });
  const trouble = h("div", {});
  const more = button(t("catalogue.more"), { class: "button" }, showMore, failed);
  const none = h("div", {});
  const sorting = order();
  const results = h("div", { class: "results" }, h("div", { class: "above" }, count, sorting), trouble, none, grid, h("div", { class: "actions" }, more));
  const side = filters({
    wish,
    fixed,
    categories,
    currency,
    clearTo: unfiltered,
    changed: (set) => change(set),
    signal: visit.signal,
  });
  show();
  return h("div", { class: "with-filters" }, side.node, results);

  /** The products that are known now. */
  function show() {
    put(trouble);
    put(grid, found.items.map(productCard));
    grid.hidden = found.items.length === 0;
    put(none, found.items.length === 0 && nothing());
    tell();
  }

  function tell() {
    more.hidden = found.cursor === null;
    sorting.hidden = found.items.length === 0;
    count.textContent = found.items.length === 0 ? t("catalogue.none") : t(found.cursor ? "catalogue.shown" : "catalogue.shown_all", found.items.length);
  }

  /** Other filters or another order: the list starts anew, what is typed into stays where it is. */
  async function change(set) {
    wish = { ...wish, ...set, pages: 1 };
    rename(addressOfWish(path, own()));
    side.show(wish);
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    results.setAttribute("aria-busy", "true");
    try {
      found = await readPages(wish, currency, AbortSignal.any([signal, visit.signal]));
      show();
    } catch (error) {
      if (!signal.aborted && !visit.signal.aborted) failed(error);
    } finally {
      if (!signal.aborted) results.removeAttribute("aria-busy");
    }
  }

  async function showMore() {
    const { signal } = asking;
    const query = apiQuery(wish, minorUnits(currency));
    query.set("limit", PAGE);
    query.set("cursor", found.cursor);
    let next;
    try {
      next = await get(`/products?${query}`, { signal: AbortSignal.any([signal, visit.signal]) });
    } catch (error) {
      if (signal.aborted || visit.signal.aborted) return;
      if (error.status !== 400) throw error;
      // The cursor is not good any more: the list is read from its beginning.
      say(t("catalogue.list_anew"), "warn");
      await change({});
      grid.querySelector("a")?.focus();
      return;
    }
    if (signal.aborted || visit.signal.aborted) return;
    put(trouble);
    const cards = next.items.map(productCard);
    grid.append(...cards);
    found = { items: [...found.items, ...next.items], cursor: next.next_cursor ?? null };
    wish = { ...wish, pages: wish.pages + 1 };
    rename(addressOfWish(path, own()));
    tell();
    cards[0]?.querySelector("a").focus();
  }

  /** What stands in the address: not what the path says already. */
  function own() {
    return { ...wish, ...Object.fromEntries(Object.keys(fixed).map((name) => [name, ""])) };
  }

  function unfiltered({ q, sort }) {
    return addressOfWish(path, { ...readWish(new URLSearchParams()), q, sort });
  }

  function failed(error) {
    const [title, detail] = sayProblem(error);
    const again = h("button", { type: "button", class: "button small", onclick: () => change({}) }, t("states.again"));
    put(trouble, notice("bad", h("p", {}, h("strong", {}, title), " ", detail), again));
  }

  function nothing() {
    const set = filtersSet(wish, fixed) > 0;
    const way = set ? link(unfiltered(wish), { class: "button primary" }, t("catalogue.clear")) : link(wish.q === "" ? "/" : "/search", { class: "button primary" }, t(wish.q === "" ? "states.home" : "catalogue.all"));
    return [empty(t("catalogue.nothing"), t(set ? "catalogue.nothing_filtered" : wish.q ? "catalogue.nothing_found" : "catalogue.nothing_here"), way), elsewhere];
  }

  function order() {
    if (wish.q !== "") return h("p", { class: "soft" }, t("catalogue.by_relevance"));
    const input = id("sort");
    const options = ["", "price_asc", "price_desc"].map((sort) => h("option", { value: sort }, t(`catalogue.sort_${sort || "newest"}`)));
    const select = h("select", { id: input, value: wish.sort, onchange: () => change({ sort: select.value }) }, options);
    return h("div", { class: "field order" }, h("label", { for: input }, t("catalogue.sort")), select);
  }
}

/** The list's grey shape. */
export function listBones() {
  const column = h("div", { class: "filters bones", "aria-hidden": true }, Array.from({ length: 5 }, () => h("span", { class: "bone" })));
  return h("div", { class: "with-filters" }, column, h("div", { class: "results" }, h("div", { class: "above" }, h("span", { class: "bone short" })), productBones(PAGE / 2)));
}
