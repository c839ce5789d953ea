// What a shopper is about to buy: the request and its Idempotency-Key, kept from the press of "pay" until its outcome is
// known. A reload, a second click, the back button or a lost replica find it here and ask again with the same key, so
// that nothing is ever bought twice.

import { newKey } from "../../lib/api.mjs";
import * as session from "../../lib/session.mjs";

const KEY = "trestle.checkout.intention";
/** When storage is switched off the page itself remembers. */
let memory = null;

/**
 * @typedef {object} Intention
 * @property {string} key the Idempotency-Key
 * @property {object} body of POST /orders, exactly as it was sent first
 * @property {string} who whose: a key belongs to one customer
 * @property {boolean} [renewed] whether it is the second try of an order that was lost on the way
 * @property {boolean} stuck whether asking was given up for now: the shopper says when it goes on
 */

/** The one of whoever is logged in, or null. @returns {Intention|null} */
export function current() {
  const kept = read();
  return kept && kept.who === session.current()?.email ? kept : null;
}

/** Whether there is one, whosever it is: the session may have ended meanwhile. */
export function isOpen() {
  return read() !== null;
}

/** A new one, unless one is still open: that comes first. @returns {Intention} */
export function begin(body) {
  const open = current();
  if (open) return open;
  return write({ key: newKey(), body, who: session.current()?.email, stuck: false });
}

/** The same once more, with a new key: the first ended without a payment, and without the shopper's doing. @returns {Intention} */
export function renew({ body, who }) {
  return write({ key: newKey(), body, who, stuck: false, renewed: true });
}

/** Notes whether asking was given up for now. */
export function setStuck(stuck) {
  const open = current();
  if (open) write({ ...open, stuck });
}

/** The outcome is known. */
export function end() {
  memory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept there.
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? memory;
  } catch {
    return memory;
  }
}

function write(intention) {
  memory = intention;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(intention));
  } catch {
    // Storage is switched off: it lives as long as the page.
  }
  return intention;
}
