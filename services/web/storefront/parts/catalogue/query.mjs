// What a list of products is asked for: as it stands in the address, and as the API takes it.

/** Products that come with one "show more". */
export const PAGE = 24;
/** More than this is not read again after a reload: the list then starts with as many. */
const MOST_PAGES = 40;
const SORTS = ["price_asc", "price_desc"];
const LARGEST_AMOUNT = 1e12;

/**
 * @typedef {object} Wish
 * @property {string} q the words searched for
 * @property {string} category a handle, or empty
 * @property {string} min the lowest price in major units, or empty
 * @property {string} max
 * @property {boolean} stock only what can be bought now
 * @property {string} rating at least so many stars, or empty
 * @property {string} sort empty is the shop's own order
 * @property {number} pages how far "show more" has been pressed
 */

/** Reads the address; what makes no sense is left out, so that a link with a slip still shows something. @returns {Wish} */
export function readWish(query) {
  const wish = {
    // Control characters cannot be searched for.
    q: (query.get("q") ?? "").replace(/\p{Cc}/gu, " ").trim().slice(0, 200),
    category: query.get("category") ?? "",
    min: price(query.get("min")),
    max: price(query.get("max")),
    stock: query.get("stock") === "1",
    rating: /^[1-5]$/.test(query.get("rating") ?? "") ? query.get("rating") : "",
    sort: SORTS.includes(query.get("sort")) ? query.get("sort") : "",
    pages: Math.min(Math.max(1, Math.trunc(Number(query.get("pages"))) || 1), MOST_PAGES),
  };
  return inOrder(wish);
}

/** The lower price first, whichever field it was typed into. */
export function inOrder(wish) {
  const swapped = wish.min !== "" && wish.max !== "" && Number(wish.min) > Number(wish.max);
  return swapped ? { ...wish, min: wish.max, max: wish.min } : wish;
}

/** A price that was typed, or empty. */
export function price(text) {
  return /^\d{1,12}(\.\d{1,3})?$/.test(text ?? "") ? text : "";
}

/** The address of `wish` below `path`. */
export function addressOfWish(path, wish) {
  const query = new URLSearchParams();
  for (const name of ["q", "category", "min", "max", "rating", "sort"]) if (wish[name] !== "") query.set(name, wish[name]);
  if (wish.stock) query.set("stock", "1");
  if (wish.pages > 1) query.set("pages", Math.min(wish.pages, MOST_PAGES));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** The wish as the API's query; `units` is how many minor units one of the shop's currency has. */
export function apiQuery(wish, units) {
  const query = new URLSearchParams();
  const amount = (text) => String(Math.min(Math.round(Number(text) * units), LARGEST_AMOUNT));
  if (wish.category !== "") query.set("category", wish.category);
  if (wish.q !== "") query.set("q", wish.q);
  if (wish.min !== "") query.set("min_price", amount(wish.min));
  if (wish.max !== "") query.set("max_price", amount(wish.max));
  if (wish.stock) query.set("in_stock", "true");
  if (wish.rating !== "") query.set("min_rating", wish.rating);
  // A search is ordered by relevance; the API takes no other order with words.
  if (wish.sort !== "" && wish.q === "") query.set("sort", wish.sort);
  return query;
}

/** How many filters are set, beside those that the page itself stands for. */
export function filtersSet(wish, fixed = {}) {
  const category = wish.category !== "" && fixed.category === undefined;
  return [category, wish.min !== "" || wish.max !== "", wish.stock, wish.rating !== ""].filter(Boolean).length;
}
