// Who is logged in. The tokens are cookies that no script can read; kept here is only what the page shows, and when the
// access token runs out, so that it is refreshed before a request is refused. A visitor has nothing here, and nothing is
// asked about them.

import { get, send } from "./api.mjs";

const KEY = "trestle.session";
/** Refreshed this long before the end. */
const EARLY_MS = 15_000;

/** Hears "change" when somebody logs in or out, here or in another tab, and "ended" when the shop ended the session. */
export const events = new EventTarget();

/**
 * @typedef {object} Session
 * @property {string} name
 * @property {string} email
 * @property {string} role customer or admin
 * @property {number} until when the access token runs out, milliseconds since 1970
 */

/** @returns {Session|null} */
export function current() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function isAdmin() {
  return current()?.role === "admin";
}

/** Logs in. Answers what the API did, with what became of the visitor's `cart`. @throws {Problem} */
export async function logIn(email, password) {
  const body = await send("POST", "/sessions", { email, password, transport: "cookie" });
  begin(body);
  return body;
}

/** Makes an account and logs in. @throws {Problem} */
export async function register(email, password, name) {
  const body = await send("POST", "/customers", { email, password, name, transport: "cookie" });
  begin(body);
  return body;
}

/** @throws {Problem} */
export async function logOut() {
  await send("DELETE", "/sessions/current");
  forget();
}

/** Asks who this is, after a change of the profile. @throws {Problem} */
export async function reread() {
  const { name, email, role } = await get("/customers/me");
  keep({ ...current(), name, email, role });
}

function begin({ customer: { name, email, role }, expires_in: seconds }) {
  keep({ name, email, role, until: Date.now() + seconds * 1000 });
}

function keep(session) {
  try {
    localStorage.setItem(KEY, JSON.stringify(session));
  } catch {
    // Without storage a reload asks to log in again.
  }
  events.dispatchEvent(new Event("change"));
}

function forget() {
  localStorage.removeItem(KEY);
  events.dispatchEvent(new Event("change"));
}

/** Refreshes the access token when it is about to end. */
export async function freshen() {
  const session = current();
  if (session && session.until - EARLY_MS < Date.now()) await refresh();
}

let refreshing = null;

/** Refreshes, once for all who ask here or in another tab. When the session has ended, it is forgotten. */
export function refresh() {
  const seen = current()?.until;
  const unlessDone = () => (current()?.until === seen ? refreshNow() : undefined);
  refreshing ??= inTurn(unlessDone).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function inTurn(work) {
  return navigator.locks ? navigator.locks.request(KEY, work) : work();
}

async function refreshNow() {
  const before = current();
  if (!before) return;
  const response = await fetch("/api/v1/sessions/refresh", { method: "POST", credentials: "same-origin" }).catch(() => null);
  if (response?.ok) {
    const tokens = await response.json();
    keep({ ...before, until: Date.now() + tokens.expires_in * 1000 });
  } else if (response && response.status >= 400 && response.status < 500 && response.status !== 429) {
    // Whatever the shop has against it, this session cannot go on.
    forget();
    events.dispatchEvent(new Event("ended"));
  }
}

addEventListener("storage", (event) => {
  if (event.key === KEY) events.dispatchEvent(new Event("change"));
});
