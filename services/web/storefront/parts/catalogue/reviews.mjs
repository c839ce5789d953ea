// What customers say of a product, page by page, and the form to say so too.

import { get } from "../../lib/api.mjs";
import { h, link, put } from "../../lib/dom.mjs";
import { rename } from "../../lib/router.mjs";
import { day, number, t } from "../../lib/text.mjs";
import { button } from "../form.mjs";
import { stars } from "../stars.mjs";
import { notice, sayProblem } from "../states.mjs";
import { reviewForm } from "./review-form.mjs";

const PAGE = 10;

export function readReviews(product, signal, cursor) {
  return get(`/products/${product}/reviews?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, { signal });
}

/**
 * @param {object} product
 * @param {PromiseSettledResult} first the first page of its reviews
 * @param {object} of
 * @param {boolean} of.writing whether the form is open from the start
 * @param {AbortSignal} of.signal
 */
export function reviews(product, first, { writing, signal }) {
  const sum = h("div", { class: "sum" });
  const slot = h("div", { class: "slot" });
  const items = h("ol", { class: "said-by" });
  const trouble = h("div", {});
  const write = h("button", { type: "button", class: "button", onclick: () => open(true) }, t("catalogue.write_review"));
  const more = button(t("catalogue.more_reviews"), { class: "button" }, showMore, (error) => tell(error));
  let all = [];
  let cursor = null;
  let { rating } = product;
  /** The reader's own review, once it is known. */
  let mine;

  sums();
  if (first.status === "rejected") tell(first.reason);
  else went(first.value);
  if (writing) open(false);
  show();
  return h(
    "section",
    { class: "part reviews", id: "reviews" },
    h("div", { class: "head" }, h("h2", {}, t("catalogue.reviews")), write),
    h("div", { class: "opinions" }, sum, h("div", { class: "list" }, slot, trouble, items, h("div", { class: "actions" }, more))),
  );

  function sums() {
    if (rating.count === 0) put(sum, h("p", { class: "soft" }, t("catalogue.no_reviews")));
    else put(sum, h("span", { class: "average", "aria-hidden": true }, number(rating.average, { minimumFractionDigits: 1, maximumFractionDigits: 1 })), stars({ average: rating.average }), h("span", { class: "soft" }, t("catalogue.ratings", rating.count)));
  }

  function went(page) {
    // One that was just written may come again with a later page.
    const others = page.items.filter(({ id }) => all.every((one) => one.id !== id));
    all = [...all, ...others];
    cursor = page.next_cursor ?? null;
  }

  function show() {
    put(items, all.map(review));
    items.hidden = all.length === 0;
    more.hidden = cursor === null;
  }

  async function showMore() {
    const page = await readReviews(product.id, signal, cursor).catch((error) => {
      if (error.status !== 400) throw error;
      // The cursor is not good any more: the list is read from its beginning.
      all = [];
      return readReviews(product.id, signal);
    });
    put(trouble);
    const before = all.length;
    went(page);
    show();
    items.children[before]?.focus();
  }

  function open(byHand) {
    write.hidden = true;
    put(slot, reviewForm(product.id, { mine, closed, changed, signal }));
    if (!byHand) return;
    address("1");
    (slot.querySelector("input:checked") ?? slot.querySelector("input, a, button"))?.focus();
  }

  function closed() {
    put(slot);
    write.hidden = false;
    address(null);
    write.focus();
  }

  /** What the API lists may be some seconds old: what was written or deleted just now is reckoned in here. */
  function changed(before, now) {
    mine = now;
    write.textContent = t(mine ? "catalogue.change_review" : "catalogue.write_review");
    const known = all.some(({ id }) => id === now?.id);
    if (!now) all = all.filter(({ id }) => id !== before.id);
    else all = known ? all.map((one) => (one.id === now.id ? now : one)) : [now, ...all];
    show();
    const count = Math.max(0, rating.count + (now ? 1 : 0) - (before ? 1 : 0));
    const total = (rating.average ?? 0) * rating.count + (now?.rating ?? 0) - (before?.rating ?? 0);
    rating = { count, average: count > 0 ? Math.min(5, Math.max(1, total / count)) : null };
    sums();
  }

  function address(value) {
    const query = new URLSearchParams(location.search);
    if (value) query.set("review", value);
    else query.delete("review");
    const text = query.toString();
    rename(location.pathname + (text ? `?${text}` : ""));
  }

  function tell(error) {
    put(trouble, notice("warn", h("p", {}, sayProblem(error).join(" "))));
  }
}

function review({ rating, text, author, created_at: created, updated_at: updated }) {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const when = h("time", { datetime: created }, day(created));
  const changed = updated !== created && h("span", {}, t("catalogue.changed_later"));
  return h("li", { tabindex: -1 }, h("div", { class: "row" }, stars({ average: rating }), h("strong", {}, author), h("span", { class: "soft" }, when, changed)), lines.map((line) => h("p", {}, line)));
}

/** The way from the top of the page to its reviews; a step within the page, none in the history. */
export function toReviews(product) {
  const jump = (event) => {
    event.preventDefault();
    const section = document.getElementById("reviews");
    section.scrollIntoView({ block: "start" });
    section.querySelector("button, li")?.focus({ preventScroll: true });
  };
  return product.rating.count > 0 ? link("#reviews", { class: "to-reviews", onclick: jump }, stars(product.rating)) : null;
}
