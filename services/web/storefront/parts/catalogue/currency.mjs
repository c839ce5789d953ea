// The shop's one currency: prices are typed in major units before the first product is known.

import { get } from "../../lib/api.mjs";

const KEY = "trestle.currency";
const USUAL = "USD";

/** The currency as last heard, or undefined. */
export function heardCurrency() {
  try {
    const heard = localStorage.getItem(KEY) ?? "";
    return /^[A-Z]{3}$/.test(heard) ? heard : undefined;
  } catch {
    return undefined;
  }
}

/** Takes note of the currency of products that the API answered. */
export function hearCurrency(products) {
  const currency = products[0]?.price.currency;
  if (!currency || currency === heardCurrency()) return;
  try {
    localStorage.setItem(KEY, currency);
  } catch {
    // Without storage it is asked for again.
  }
}

/** The currency, asked for when nobody has said it yet. @throws {Problem} */
export async function shopCurrency(signal) {
  const heard = heardCurrency();
  if (heard) return heard;
  const { items } = await get("/products?limit=1", { signal });
  hearCurrency(items);
  return items[0]?.price.currency ?? USUAL;
}
