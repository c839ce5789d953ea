// Where the customer is logged in: each session can be ended, all others at once, and this one by logging out.

import { get, send } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { dayAndTime, t } from "../../lib/text.mjs";
import { button } from "../form.mjs";
import { say } from "../states.mjs";
import { readAgent } from "./agent.mjs";
import { section } from "./section.mjs";
import { sayTrouble } from "./trouble.mjs";

/**
 * @param {{items: Array<object>, next_cursor: string|null}} first the first page of the API's list
 * @param {AbortSignal} signal of the visit
 * @returns {{node: Node, refresh: () => Promise<void>}} `refresh` reads the list again
 */
export function sessionsSection(first, signal) {
  const list = h("ul", { class: "sessions" });
  const below = h("div", { class: "actions" });
  let page = first;

  const show = () => {
    // This one first: the others are measured by it.
    put(list, page.items.toSorted((one, other) => Number(other.current) - Number(one.current)).map(row));
    const others = page.items.some((item) => !item.current);
    put(
      below,
      page.next_cursor && button(t("account.more_sessions"), {}, more, sayTrouble),
      others && button(t("account.end_others"), {}, endOthers, sayTrouble),
    );
  };
  const focusHeading = () => node.querySelector("h2").focus();

  const refresh = async () => {
    page = await get("/sessions", { signal });
    show();
  };
  const more = async () => {
    const next = await get(`/sessions?cursor=${encodeURIComponent(page.next_cursor)}`, { signal });
    page = { ...next, items: [...page.items, ...next.items] };
    show();
    const shown = next.items.find((item) => !item.current);
    list.querySelector(`[data-id="${shown?.id}"] button`)?.focus();
  };
  const endOthers = async () => {
    await send("DELETE", "/sessions");
    await refresh();
    focusHeading();
    say(t("account.others_ended"));
  };
  const endOne = async (item) => {
    await send("DELETE", `/sessions/${item.id}`).catch((error) => {
      // It has ended by itself meanwhile: it is what was asked for.
      if (error.status !== 404) throw error;
    });
    const at = Array.from(list.children).findIndex((element) => element.dataset.id === item.id);
    page = { ...page, items: page.items.filter((other) => other !== item) };
    show();
    const after = list.children[Math.min(at, list.children.length - 1)]?.querySelector("button");
    if (after) after.focus();
    else focusHeading();
    say(t("account.session_ended"));
  };

  const row = (item) => {
    const name = nameOf(item.user_agent);
    const end = () =>
      button(t("account.end_session"), { class: "act", "aria-label": `${t("account.end_session")}: ${name}` }, () => endOne(item), sayTrouble);
    return h(
      "li",
      { dataset: { id: item.id } },
      h(
        "div",
        {},
        h("p", { class: "agent" }, name, item.current && h("span", { class: "badge good" }, t("account.this_browser"))),
        h("p", { class: "soft" }, t("account.logged_in_at", dayAndTime(item.created_at))),
      ),
      !item.current && end(),
    );
  };

  const node = section("sessions", list, below);
  show();
  return { node, refresh };
}

function nameOf(agent) {
  const { browser, system } = readAgent(agent);
  if (browser && system) return t("account.browser_on", browser, system);
  return browser ?? system ?? t("account.unknown_browser");
}
