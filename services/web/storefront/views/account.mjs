// The customer's account: profile, addresses, password and sessions on one page.

import { get } from "../lib/api.mjs";
import { h, link } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { events, go, reload, rename } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { day, t } from "../lib/text.mjs";
import { addressesSection } from "../parts/account/addresses.mjs";
import { passwordSection, profileSection } from "../parts/account/profile.mjs";
import { section, showSection } from "../parts/account/section.mjs";
import { sessionsSection } from "../parts/account/sessions.mjs";
import { sayTrouble } from "../parts/account/trouble.mjs";
import { button } from "../parts/form.mjs";
import { say } from "../parts/states.mjs";

const SECTIONS = ["profile", "addresses", "password_change", "sessions"];

/** What each section has while it is read: lines of text, and boxes where fields and buttons will be. */
const SHAPES = {
  profile: ["line", "line", "line", "box", "line", "box"],
  addresses: ["card", "box"],
  password_change: ["line", "box", "line", "box", "line", "line", "box"],
  sessions: ["card"],
};

export function skeleton() {
  const shape = (name) => h("div", { class: "shape", "aria-hidden": true }, SHAPES[name].map((kind) => h("span", { class: `bone ${kind}` })));
  return page(null, SECTIONS.map((name) => section(name, shape(name))));
}

export default async function ({ signal, back }) {
  if (!session.current()) throw new Problem(401, { code: "unauthenticated" });
  const [profile, addresses, sessions] = await Promise.all([
    get("/customers/me", { signal }),
    get("/customers/me/addresses", { signal }),
    get("/sessions", { signal }),
  ]);
  const logins = sessionsSection(sessions, signal);
  const node = page(t("account.since", day(profile.created_at)), [
    profileSection(profile),
    addressesSection(addresses.items, profile.name),
    passwordSection(profile.email, logins.refresh),
    logins.node,
  ]);
  const anchor = location.hash.slice(1);
  if (!back && SECTIONS.includes(anchor)) events.addEventListener("shown", () => showSection(anchor), { once: true, signal });
  // Logged out in another tab, or somebody else is in: what stands here is not theirs.
  const leave = () => session.current()?.email !== profile.email && reload();
  session.events.addEventListener("change", leave, { signal });
  return { title: t("account.title"), node };
}

/** The page around its sections, while they are read too: the same size, so that nothing jumps. */
function page(lead, sections) {
  return h(
    "div",
    { class: "page account", "aria-busy": lead === null },
    h(
      "div",
      { class: "head" },
      h("div", {}, h("h1", { tabindex: -1 }, t("account.title")), h("p", { class: "soft" }, lead ?? h("span", { class: "bone short" }))),
      h(
        "div",
        { class: "actions" },
        link("/orders", { class: "button" }, t("shop.orders")),
        button(t("account.log_out"), {}, logOut, sayTrouble),
      ),
    ),
    h("div", { class: "parts" }, h("nav", { class: "within", "aria-label": t("account.sections") }, h("ul", {}, SECTIONS.map(anchorTo))), h("div", { class: "all" }, sections)),
  );
}

/** A link within the page. The router would take the browser's own step for another visit. */
function anchorTo(name) {
  const element = link(`#${name}`, {}, t(`account.${name}`));
  element.addEventListener("click", (event) => {
    event.preventDefault();
    rename(`/account#${name}`);
    showSection(name);
  });
  return h("li", {}, element);
}

async function logOut() {
  await session.logOut();
  say(t("account.logged_out"));
  await go("/");
}
