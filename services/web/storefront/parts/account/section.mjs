// A part of the account's page: its heading and what it is for on one side, what can be done on the other.

import { h } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";

/** @param {string} name also the anchor, and where its texts are: account.NAME and account.NAME_detail */
export function section(name, ...children) {
  const heading = `${name}-heading`;
  return h(
    "section",
    { id: name, class: "part", "aria-labelledby": heading },
    h("div", { class: "about-part" }, h("h2", { id: heading, tabindex: -1 }, t(`account.${name}`)), h("p", { class: "soft" }, t(`account.${name}_detail`))),
    h("div", { class: "doing" }, children),
  );
}

/** Brings the section with this name into view, with the focus on its heading. */
export function showSection(name) {
  const heading = document.getElementById(`${name}-heading`);
  if (!heading) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  heading.closest("section").scrollIntoView({ behavior: calm ? "instant" : "smooth" });
  heading.focus({ preventScroll: true });
}
