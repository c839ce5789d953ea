// What a list is narrowed by: a form whose values become the query of the page's own address.

import { h, link } from "../../lib/dom.mjs";
import { go } from "../../lib/router.mjs";
import { t } from "../../lib/text.mjs";

/**
 * @param {string} address of the page
 * @param {Node[]} fields made by field(); none has to be filled in
 */
export function filters(address, fields) {
  const element = h(
    "form",
    { class: "admin-filters", role: "search", "aria-label": t("admin.filter"), novalidate: true },
    fields,
    h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("admin.find")), link(address, { class: "button" }, t("admin.all"))),
  );
  // The word "optional" beside each field of a search would be noise; the fields are made without it, as required.
  for (const input of element.querySelectorAll("[required]")) input.required = false;
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = Array.from(new FormData(element)).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");
    go(given.length > 0 ? `${address}?${new URLSearchParams(given)}` : address);
  });
  return element;
}
