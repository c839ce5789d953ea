// Saying what a product is like, or changing what one said. Who may is the API's to tell: whoever bought it, once.

import { get, send } from "../../lib/api.mjs";
import { h, id, link, put } from "../../lib/dom.mjs";
import { next } from "../../lib/router.mjs";
import * as session from "../../lib/session.mjs";
import { t } from "../../lib/text.mjs";
import { button, field, form } from "../form.mjs";
import { icon } from "../icon.mjs";
import { notice, say, sayProblem } from "../states.mjs";

const STARS = [1, 2, 3, 4, 5];
const LONGEST = 2000;

/**
 * @param {number} product its id
 * @param {object} of
 * @param {object} [of.mine] the review that there is, when that is known
 * @param {() => void} of.closed called when the form is not wanted any more
 * @param {(before?: object, now?: object) => void} of.changed called with one's review as it was and as it is
 * @param {AbortSignal} of.signal
 */
export function reviewForm(product, { mine: known, closed, changed, signal }) {
  const path = `/products/${product}/reviews`;
  const draft = `trestle.review.${product}`;
  const node = h("div", { class: "review-form" });
  if (session.current() && known) change(known);
  else if (session.current()) write(kept(draft));
  else put(node, notice("", h("p", {}, t("catalogue.log_in_to_review")), h("p", { class: "actions" }, link(`/login?${next()}`, { class: "button" }, t("states.log_in")), cancel())));
  return node;

  /** The form for a new review; with `mine` for the one that there is. */
  function write(values, mine) {
    const said = h("div", { "aria-live": "polite" });
    const submit = async ({ rating, text }) => {
      put(said);
      const opinion = { rating: Number(rating), text: clean(text) };
      let now;
      try {
        now = await (mine ? send("PUT", `${path}/mine`, opinion, { signal }) : send("POST", path, opinion, { signal }));
      } catch (error) {
        if (error.code === "already_reviewed") await edit(t("catalogue.already_reviewed"));
        else if (error.code === "not_bought") put(said, notice("warn", h("p", {}, t("catalogue.not_bought"))));
        else throw error;
        return;
      }
      finish(t(mine ? "catalogue.review_changed" : "catalogue.review_thanks"), mine, now);
    };
    const text = field("text", t("catalogue.review_text"), { rows: 5, maxlength: LONGEST, value: values.text ?? "" });
    const element = form(
      { "aria-label": t(mine ? "catalogue.change_review" : "catalogue.write_review") },
      submit,
      rating(values.rating),
      text,
      said,
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t(mine ? "forms.save" : "catalogue.send_review")), cancel(), mine && remove(mine, said)),
    );
    element.addEventListener("input", () => !mine && keep(draft, Object.fromEntries(new FormData(element))));
    put(node, element);
  }

  function change(mine) {
    write({ rating: String(mine.rating), text: mine.text }, mine);
  }

  /** Turns into the form for the review that there is. */
  async function edit(why) {
    const mine = await get(`${path}/mine`, { signal });
    keep(draft);
    change(mine);
    node.prepend(notice("", h("p", {}, why)));
    node.querySelector("input:checked")?.focus();
  }

  /** Deleting asks once more, in the same place. */
  function remove(mine, said) {
    const no = h("button", { type: "button", class: "button", onclick: () => { put(said); ask.focus(); } }, t("catalogue.keep_review"));
    const gone = async () => {
      await send("DELETE", `${path}/mine`, undefined, { signal });
      finish(t("catalogue.review_deleted"), mine);
    };
    const yes = button(t("catalogue.delete_review"), { class: "button danger" }, gone, (error) => put(said, notice("bad", h("p", {}, sayProblem(error).join(" ")))));
    const ask = h("button", { type: "button", class: "button danger", onclick: () => { put(said, notice("warn", h("p", {}, t("catalogue.delete_review_sure")), h("p", { class: "actions" }, yes, no))); no.focus(); } }, t("catalogue.delete_review"));
    return ask;
  }

  function finish(text, ...review) {
    keep(draft);
    say(text);
    closed();
    changed(...review);
  }

  function cancel() {
    return h("button", { type: "button", class: "button", onclick: closed }, t("forms.cancel"));
  }
}

function rating(value) {
  const about = id("rating-about");
  const star = (stars) => {
    const input = h("input", { type: "radio", name: "rating", value: stars, required: true, checked: String(stars) === value, "aria-describedby": about });
    return h("label", {}, input, icon("star"), h("span", { class: "unseen" }, t("catalogue.stars", stars)));
  };
  return h("fieldset", { class: "field rate" }, h("legend", {}, t("catalogue.your_rating")), h("div", { class: "row" }, STARS.map(star)), h("p", { class: "about", id: about, dataset: { hint: "" } }));
}

/** What the API takes: no control characters but line ends. */
function clean(text) {
  return text.replace(/[^\P{Cc}\n\r]/gu, " ").trim();
}

/** A draft outlives a session that ends while it is written. */
function kept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function keep(key, values) {
  try {
    if (values) sessionStorage.setItem(key, JSON.stringify(values));
    else sessionStorage.removeItem(key);
  } catch {
    // Without storage the draft lives as long as the page.
  }
}
