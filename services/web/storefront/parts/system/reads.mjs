// What the system page's stream asks for: reads that any shopper makes, some again and again, some for the first time.

const WORDS = ["lamp", "tea", "bag", "chair", "wool", "steel", "oak", "linen", "ceramic", "bottle"];
/** What many people look at: asked so often that a cache has it. */
const POPULAR = 6;
/** Ids that are kept, so that a big shop does not fill the memory. */
const KNOWN = 400;

export const KINDS = ["mixed", "products", "lists", "search", "cold"];

/** Chooses addresses below /api/v1; it only asks for products that a list has named, so that none is missing. */
export class Reads {
  ids = [];
  categories = [];

  /** @param {string} kind one of KINDS */
  next(kind) {
    if (this.categories.length === 0 && Math.random() < 0.3) return "/categories";
    if (this.ids.length === 0) return "/products?limit=100";
    if (kind !== "mixed") return this[kind]();
    const dice = Math.random();
    if (dice < 0.6) return this.products();
    if (dice < 0.75) return this.lists();
    if (dice < 0.88) return this.search();
    return this.cold();
  }

  products() {
    return `/products/${pick(this.ids.slice(0, POPULAR))}`;
  }

  lists() {
    const category = this.categories.length > 0 ? pick(this.categories) : null;
    return pick(["/categories", "/products/new", "/products/best-sellers", ...(category ? [`/products?category=${category}`] : [])]);
  }

  search() {
    return `/products?q=${pick(WORDS)}`;
  }

  /** Hardly ever the same twice: MySQL has to be asked. */
  cold() {
    if (Math.random() < 0.5) return `/products/${pick(this.ids)}`;
    return `/products?limit=100&min_price=${Math.ceil(Math.random() * 9000)}`;
  }

  /** Whether an answer tells something new, so that it is worth reading. */
  wants(path) {
    return path === "/categories" ? this.categories.length === 0 : path.startsWith("/products?limit=100") && this.ids.length < KNOWN;
  }

  learn(path, { items }) {
    if (path === "/categories") this.categories = items.map(({ handle }) => handle);
    else this.ids = [...new Set([...this.ids, ...items.map(({ id }) => id)])].slice(0, KNOWN);
  }
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}
