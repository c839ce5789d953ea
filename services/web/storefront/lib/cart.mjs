// The cart, as the whole page knows it: how many pieces are in it, for the header.

import { get, send } from "./api.mjs";

const KEY = "trestle.cart.count";

/** Hears "change" when the number of pieces changed. */
export const events = new EventTarget();

/** Pieces in the cart as last heard, so that a visitor without one asks nothing. */
export function count() {
  try {
    return Number(localStorage.getItem(KEY) ?? 0);
  } catch {
    return 0;
  }
}

/** Reads the cart; with a coupon also what that would take off. @throws {Problem} */
export async function read({ coupon, signal } = {}) {
  return heard(await get(`/cart${coupon ? `?coupon=${encodeURIComponent(coupon)}` : ""}`, { signal }));
}

/** Sets how many pieces of a variant are in the cart. Answers the whole cart. @throws {Problem} */
export async function set(variant, quantity) {
  return heard(await send("PUT", `/cart/items/${variant}`, { quantity }));
}

/** Takes a variant out. @throws {Problem} */
export async function remove(variant) {
  return heard(await send("DELETE", `/cart/items/${variant}`));
}

/** The cart of the API is another one now, or empty: after a login, a logout, an order. */
export function forget() {
  keep(0);
}

/** Takes note of a cart that the API answered. */
export function heard(cart) {
  if (cart) keep(cart.count);
  return cart;
}

function keep(pieces) {
  try {
    localStorage.setItem(KEY, String(pieces));
  } catch {
    // Without storage the header forgets with the page.
  }
  events.dispatchEvent(new Event("change"));
}

addEventListener("storage", (event) => {
  if (event.key === KEY) events.dispatchEvent(new Event("change"));
});
