// What a page shows when it cannot show what was asked for, or not yet. Each says what is the matter and what can be done.

import { h, link } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { next } from "../lib/router.mjs";
import { t } from "../lib/text.mjs";

/** A page that is about to come. */
export function waiting() {
  return h("div", { class: "page", "aria-busy": true }, h("p", { class: "unseen" }, t("states.loading")), bones(3));
}

/** Grey bars where text is going to be. */
export function bones(count) {
  return h("div", { class: "bones", "aria-hidden": true }, Array.from({ length: count }, () => h("span", { class: "bone" })));
}

/** Nothing here, and what to do about it: `actions` are links or buttons. */
export function empty(title, detail, ...actions) {
  return h("div", { class: "state" }, truss(), h("h2", {}, title), detail && h("p", {}, detail), h("div", { class: "actions" }, actions));
}

export function notFound() {
  return statePage(t("states.not_found"), t("states.not_found_detail"), link("/", { class: "button primary" }, t("states.home")));
}

export function signedOut() {
  return statePage(
    t("states.signed_out"),
    t("states.signed_out_detail"),
    link(`/login?${next()}`, { class: "button primary" }, t("states.log_in")),
  );
}

/** The page could not be loaded; `again` loads it once more. */
export function failed(error, again) {
  const button = h("button", { type: "button", class: "button primary", onclick: again }, t("states.again"));
  return statePage(...sayProblem(error), button);
}

/** A problem in the reader's words: title and detail. */
export function sayProblem(error) {
  if (!(error instanceof Problem)) return [t("states.failed"), t("states.failed_detail", "")];
  if (error.code === "offline") return [t("states.offline"), t("states.offline_detail")];
  if (error.status === 403) return [t("states.forbidden"), t("states.forbidden_detail")];
  if (error.status === 429 || error.code === "overloaded") return [t("states.busy"), t("states.busy_detail")];
  if (error.code === "maintenance") return [t("states.paused"), t("states.paused_detail")];
  if (error.isOutage) return [t("states.away"), t("states.away_detail")];
  return [t("states.failed"), t("states.failed_detail", error.requestId ?? "")];
}

function statePage(title, detail, action) {
  return h(
    "div",
    { class: "page state", role: "alert" },
    truss(),
    h("h1", { tabindex: -1 }, title),
    h("p", {}, detail),
    h("div", { class: "actions" }, action),
  );
}

function truss() {
  return h("span", { class: "truss", "aria-hidden": true });
}

/** A box within a page: `kind` is good, bad or warn. */
export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}`, role: kind === "bad" ? "alert" : "status" }, children);
}

/** Says something for a few seconds at the edge of the page. */
export function say(text, kind = "good") {
  const message = h("p", { class: `message ${kind}` }, text);
  document.getElementById("messages").append(message);
  setTimeout(() => message.remove(), 6000);
}
