// The bottom of every page: language, theme, and which replica and cache served what was read last.

import { answers } from "../lib/api.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { reload } from "../lib/router.mjs";
import { currentLanguage, LANGUAGES, setLanguage, t } from "../lib/text.mjs";
import { sourceOf } from "./source.mjs";
import { showHeader } from "./header.mjs";

const bottom = document.getElementById("bottom");
const THEMES = ["system", "light", "dark"];

export function showFooter() {
  const served = h("p", { class: "served" }, lastServed());
  put(
    bottom,
    h(
      "footer",
      { class: "bottom" },
      h("span", { class: "truss", "aria-hidden": true }),
      h(
        "div",
        { class: "columns" },
        h("div", {}, h("p", { class: "brand" }, "Trestle"), h("p", {}, t("shop.tagline")), served),
        h("nav", { "aria-label": t("shop.more") }, link("/system", {}, t("shop.system")), link("/orders", {}, t("shop.orders")), link("/account", {}, t("shop.account"))),
        h("div", { class: "choices" }, languages(), themes()),
      ),
    ),
  );
  stop?.abort();
  stop = new AbortController();
  answers.addEventListener(
    "answer",
    ({ detail }) => {
      if (detail.method === "GET" && detail.replica) last = detail;
      put(served, lastServed());
    },
    { signal: stop.signal },
  );
}

let stop = null;
let last = null;

function lastServed() {
  return last ? t("shop.served", last.replica, t(`source.${sourceOf(last.cacheStatus)}`), Math.max(1, Math.round(last.took))) : t("shop.not_served");
}

function languages() {
  const buttons = Object.entries(LANGUAGES).map(([code, name]) =>
    h(
      "button",
      {
        type: "button",
        lang: code,
        "aria-pressed": String(code === currentLanguage()),
        onclick: async () => {
          await setLanguage(code);
          showHeader();
          showFooter();
          await reload();
        },
      },
      name,
    ),
  );
  return h("div", { class: "switch", role: "group", "aria-label": t("shop.language") }, buttons);
}

function themes() {
  const root = document.documentElement;
  const buttons = THEMES.map((theme) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String((root.dataset.theme ?? "system") === theme),
        onclick: () => {
          if (theme === "system") {
            delete root.dataset.theme;
            localStorage.removeItem("trestle.theme");
          } else {
            root.dataset.theme = theme;
            localStorage.setItem("trestle.theme", theme);
          }
          showFooter();
        },
      },
      t(`shop.theme_${theme}`),
    ),
  );
  return h("div", { class: "switch", role: "group", "aria-label": t("shop.theme") }, buttons);
}
