// Which view an address shows: History API, title, focus, and the place on the page where a reader was.
//
// A view is a module in views/ whose default export is `async (visit) => ({ title, node })`. It reads what it needs
// first and then answers; while it does, its `skeleton(visit)` is shown, if it has one. What it throws is shown in its
// place: a Problem by its kind (parts/states.mjs), anything else as an error.

import { routes } from "../routes.mjs";
import { failed, notFound, signedOut, waiting } from "../parts/states.mjs";
import { put } from "./dom.mjs";
import { Problem } from "./problem.mjs";
import { t } from "./text.mjs";

/** Before this the next view shows nothing, so that quick answers do not flicker. The first page has nothing to lose. */
const SKELETON_AFTER_MS = 120;
const LONGEST_FRAME_MS = 300;

const table = routes.map((route) => ({ ...route, segments: route.path.split("/").slice(1) }));
const main = document.getElementById("main");
let leaving = null;
let visits = 0;
/** The address that is shown, without what only points into the page. */
let shownAt = "";

/** Hears "shown" after each view. */
export const events = new EventTarget();

/**
 * @typedef {object} Visit
 * @property {Object<string, string>} params what stands at the pattern's `:names`
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal aborted when the reader leaves: stops requests, timers and listeners of the view
 * @property {boolean} back whether the reader comes back to it (back, forward, reload)
 */

/** Shows the address at hand and follows links from now on. */
export function start() {
  history.scrollRestoration = "manual";
  // A step to another place of the same page is the browser's: what was typed there stays.
  addEventListener("popstate", () => {
    if (address() !== shownAt) show(true);
  });
  addEventListener("pagehide", keepPlace);
  document.addEventListener("click", follow);
  return show(history.state !== null);
}

function address() {
  return location.pathname + location.search;
}

/** Goes to an address of the shop. */
export function go(to) {
  keepPlace();
  history.pushState({}, "", to);
  return show(false);
}

/** The same without a step in the history: a filter, a redirect. */
export function replace(to) {
  history.replaceState(history.state ?? {}, "", to);
  return show(false);
}

/** Changes the address only: the view knows what it shows. */
export function rename(to) {
  history.replaceState(history.state ?? {}, "", to);
  shownAt = address();
}

/** Shows the same address again: another language, somebody else. */
export function reload() {
  keepPlace();
  return show(true);
}

/** The address to come back to after a login, as a query: `next=/cart`. */
export function next() {
  return `next=${encodeURIComponent(address())}`;
}

function follow(event) {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
  event.preventDefault();
  go(url.pathname + url.search + url.hash);
}

function keepPlace() {
  history.replaceState({ ...history.state, top: scrollY }, "");
}

function find(path) {
  const segments = path.replace(/(.)\/$/, "$1").split("/").slice(1);
  for (const route of table) {
    if (route.segments.length !== segments.length) continue;
    const params = {};
    const matches = route.segments.every((segment, i) => {
      if (!segment.startsWith(":")) return segment === segments[i];
      params[segment.slice(1)] = decodeURIComponent(segments[i]);
      return segments[i] !== "";
    });
    if (matches) return { route, params };
  }
  return null;
}

async function show(back) {
  shownAt = address();
  leaving?.abort();
  leaving = new AbortController();
  visits += 1;
  const mine = visits;
  const first = mine === 1;
  const isHere = () => mine === visits;
  const { signal } = leaving;
  const visit = { query: new URLSearchParams(location.search), params: {}, signal, back };
  let skeleton;
  let shown;
  try {
    const found = find(location.pathname);
    if (!found) throw new Problem(404, { code: "not_found" });
    visit.params = found.params;
    const module = await load(found.route);
    if (!isHere()) return;
    const bones = () => isHere() && put(main, module.skeleton?.(visit) ?? waiting());
    if (first) {
      bones();
      // Seen before the view is made, which takes longer than its answers on a slow machine.
      await painted();
    } else {
      skeleton = setTimeout(bones, SKELETON_AFTER_MS);
    }
    shown = await module.default(visit);
  } catch (error) {
    if (!isHere() || signal.aborted) return;
    shown = explain(error);
  } finally {
    clearTimeout(skeleton);
  }
  if (!isHere() || !shown) return;
  // A view may have filled its skeleton in.
  if (main.firstElementChild !== shown.node) put(main, shown.node);
  document.title = shown.title ? `${shown.title} – Trestle` : "Trestle";
  describe(shown.meta ?? {});
  const top = back ? (history.state?.top ?? 0) : 0;
  scrollTo({ top, behavior: "instant" });
  // Readers of the screen hear where they are now; the first page is announced by the browser.
  if (!first && !main.contains(document.activeElement)) (main.querySelector("h1[tabindex], [autofocus]") ?? main).focus({ preventScroll: true });
  history.replaceState({ ...history.state, top }, "");
  events.dispatchEvent(new Event("shown"));
}

/** Waits until what is there has been painted; a tab in the background paints nothing. */
function painted() {
  if (document.hidden) return undefined;
  const frame = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return Promise.race([frame, new Promise((resolve) => setTimeout(resolve, LONGEST_FRAME_MS))]);
}

/** Begins to load the view of the address at hand, before it can be shown: the texts are still on their way. */
export function ahead() {
  const found = find(location.pathname);
  if (found) load(found.route).catch(() => {});
}

async function load(route) {
  const view = import(`../views/${route.view}.mjs`).catch(async (error) => {
    // With nobody there, loading the page anew would leave nothing of it.
    if (!navigator.onLine) throw new Problem(0, { code: "offline" });
    const there = await fetch("/healthz").catch(() => null);
    if (!there) throw new Problem(0, { code: "no_answer" });
    // A page that stayed open while a new release came may ask for what is not there any more.
    if (visits > 1) location.reload();
    throw error;
  });
  const [module] = await Promise.all([view, style(route.style)]);
  return module;
}

const sheets = new Map();

function style(name) {
  if (!sheets.has(name)) {
    const sheet = Object.assign(document.createElement("link"), {
      rel: "stylesheet",
      href: new URL(`../styles/${name}.css`, import.meta.url).href,
    });
    sheets.set(name, new Promise((resolve) => {
      sheet.onload = resolve;
      sheet.onerror = () => {
        // The next visit asks again.
        sheets.delete(name);
        sheet.remove();
        resolve();
      };
    }));
    document.head.append(sheet);
  }
  return sheets.get(name);
}

function explain(error) {
  if (error instanceof Problem && error.status === 404) return { title: t("states.not_found"), node: notFound() };
  if (error instanceof Problem && error.status === 401) return { title: t("states.signed_out"), node: signedOut() };
  if (!(error instanceof Problem)) console.error(error);
  return { title: t("states.failed"), node: failed(error, reload) };
}

/** Meta data for sharing; `meta` has Open Graph's names without the prefix. */
function describe(meta) {
  for (const old of document.head.querySelectorAll("meta[property^='og:']")) old.remove();
  const all = Object.keys(meta).length > 0 ? { title: document.title, url: location.href, ...meta } : {};
  for (const [name, content] of Object.entries(all)) {
    const element = document.createElement("meta");
    element.setAttribute("property", `og:${name}`);
    element.content = content;
    document.head.append(element);
  }
  document.querySelector("meta[name=description]").content = meta.description ?? t("shop.description");
}
