// Where to go after a login: the address in `next`, when it is one of this shop.

const DEFAULT = "/account";

/** The address to go to. What is not a path of this shop is not followed: a link could send a customer anywhere. */
export function nextOf(query) {
  const next = query.get("next") ?? "";
  if (!/^\/(?![/\\])/.test(next) || !URL.canParse(next, location.origin)) return DEFAULT;
  // A browser leaves tabs and line ends out of an address: what it makes of it counts.
  const url = new URL(next, location.origin);
  if (url.origin !== location.origin || ["/login", "/register"].includes(url.pathname)) return DEFAULT;
  return url.pathname + url.search + url.hash;
}
