// What the browser remembers for the cart and the checkout: the coupon's code and an address that was typed (this tab),
// and what each line was called and cost when it was last seen (this browser).

const COUPON = "trestle.coupon";
const DRAFT = "trestle.checkout.address";
const SEEN = "trestle.cart.seen";

function read(storage, key) {
  try {
    return JSON.parse(storage().getItem(key));
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Storage is switched off: nothing is remembered, and everything else works.
  }
}

const tab = () => sessionStorage;
const browser = () => localStorage;

/** The code of the coupon that the shopper means to use, or null. */
export const coupon = () => read(tab, COUPON);
export const keepCoupon = (code) => write(tab, COUPON, code);

/** An address that was typed but is not saved yet, or null. */
export const draft = () => read(tab, DRAFT);
export const keepDraft = (values) => write(tab, DRAFT, values);

/** What was seen of the lines: `{[variant]: {title, price}}`. */
export const seen = () => read(browser, SEEN) ?? {};

/** Remembers the lines of a cart as they are seen now; those that left the cart are forgotten. */
export function keepSeen(items, before = seen()) {
  const now = items.map(({ variant_id: variant, title, price }) => [variant, title ? { title, price } : before[variant]]);
  write(browser, SEEN, Object.fromEntries(now.filter(([, line]) => line)));
}
