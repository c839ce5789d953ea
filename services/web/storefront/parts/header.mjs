// The top of every page: the name, the search, the way to the cart and to the account.

import * as cart from "../lib/cart.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { events, go } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { t } from "../lib/text.mjs";
import { icon } from "./icon.mjs";

const top = document.getElementById("top");

export function showHeader() {
  const search = h("input", {
    type: "search",
    name: "q",
    maxlength: 200,
    placeholder: t("shop.search_placeholder"),
    "aria-label": t("shop.search"),
    autocomplete: "off",
    enterkeyhint: "search",
  });
  const form = h("form", { class: "search", role: "search", action: "/search" }, search, h("button", { type: "submit", "aria-label": t("shop.search") }, icon("search")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (search.value.trim() !== "") go(`/search?q=${encodeURIComponent(search.value.trim())}`);
  });
  const pieces = h("span", { class: "count" });
  const who = session.current();
  put(
    top,
    h("a", { class: "skip", href: "#main" }, t("shop.skip")),
    h(
      "header",
      { class: "top" },
      link("/", { class: "brand" }, h("img", { src: new URL("../favicon.svg", import.meta.url).href, alt: "", width: 30, height: 30 }), "Trestle"),
      form,
      h(
        "nav",
        { "aria-label": t("shop.navigation") },
        session.isAdmin() && link("/admin", { class: "tool" }, icon("desk"), h("span", {}, t("shop.backoffice"))),
        who
          ? link("/account", { class: "tool" }, icon("person"), h("span", {}, who.name ?? t("shop.account")))
          : link("/login", { class: "tool" }, icon("person"), h("span", {}, t("shop.log_in"))),
        link("/cart", { class: "tool cart" }, icon("cart"), h("span", {}, t("shop.cart")), pieces),
      ),
    ),
  );
  const refresh = () => {
    const query = location.pathname === "/search" ? (new URLSearchParams(location.search).get("q") ?? "") : "";
    if (document.activeElement !== search) search.value = query;
  };
  const recount = () => {
    const now = cart.count();
    pieces.hidden = now === 0;
    put(pieces, h("span", { "aria-hidden": true }, String(now)), h("span", { class: "unseen" }, t("shop.pieces", now)));
  };
  stop?.abort();
  stop = new AbortController();
  events.addEventListener("shown", refresh, { signal: stop.signal });
  cart.events.addEventListener("change", recount, { signal: stop.signal });
  refresh();
  recount();
}

let stop = null;
