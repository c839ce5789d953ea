// The frame of the backoffice's pages: who may see them, the way between them, a heading, and the shape they have while
// they load.

import { h, link } from "../../lib/dom.mjs";
import { Problem } from "../../lib/problem.mjs";
import * as session from "../../lib/session.mjs";
import { t } from "../../lib/text.mjs";
import { bones } from "../states.mjs";

const SECTIONS = [
  ["overview", "/admin"],
  ["products", "/admin/products"],
  ["orders", "/admin/orders"],
  ["coupons", "/admin/coupons"],
  ["customers", "/admin/customers"],
];

/** Before any request: nobody who may not ask does. @throws {Problem} */
export function onlyStaff() {
  if (!session.current()) throw new Problem(401, { code: "unauthenticated" });
  if (!session.isAdmin()) throw new Problem(403, { code: "forbidden" });
}

/**
 * @param {string} section where in the backoffice this is
 * @param {string|Array} title the heading
 * @param {...Node} children
 */
export function frame(section, title, ...children) {
  return h(
    "div",
    { class: "page admin" },
    h("div", { class: "admin-top" }, navigation(section), h("h1", { tabindex: -1 }, title)),
    children,
  );
}

/** The frame with grey bars in it: `count` rows. */
export function frameOf(section, count = 8) {
  return () =>
    h(
      "div",
      { class: "page admin", "aria-busy": true },
      h("div", { class: "admin-top" }, navigation(section), h("h1", { tabindex: -1 }, t(`admin.${section}.title`))),
      h("p", { class: "unseen" }, t("states.loading")),
      h("div", { class: "admin-bones" }, bones(count)),
    );
}

function navigation(here) {
  const links = SECTIONS.map(([name, address]) => {
    const current = name === here ? (address === location.pathname && location.search === "" ? "page" : "true") : null;
    return h("li", {}, link(address, { "aria-current": current }, t(`admin.${name}.title`)));
  });
  return h("nav", { class: "admin-nav", "aria-label": t("admin.navigation") }, h("ul", {}, links));
}

/** A part of a page under its own heading. */
export function section(title, ...children) {
  return h("section", { class: "admin-section" }, h("h2", {}, title), children);
}

/** Names and values: pairs of texts or nodes; a pair without a value is left out. */
export function facts(...pairs) {
  const said = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "admin-facts" }, said.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Something that is opened when it is needed: a form, mostly. */
export function fold(title, attributes, ...children) {
  return h("details", { class: "admin-fold", ...attributes }, h("summary", {}, title), h("div", { class: "inside" }, children));
}
