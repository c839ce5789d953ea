// Everything the shop says in English. A text with values is a function; ko.mjs has the same names.

const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const texts = {
  // --- What surrounds every page: parts/header.mjs, parts/footer.mjs -----------------------------------------------
  shop: {
    description: "Trestle: a load-bearing shop on three tiers",
    tagline: "A load-bearing shop: every order holds, whatever falls.",
    skip: "Skip to the content",
    navigation: "Shop",
    more: "More",
    search: "Search",
    search_placeholder: "Search the shop",
    cart: "Cart",
    pieces: (count) => `${plural(count, "piece", "pieces")} in the cart`,
    log_in: "Log in",
    account: "Account",
    orders: "My orders",
    backoffice: "Backoffice",
    system: "The system at work",
    language: "Language",
    theme: "Appearance",
    theme_system: "Auto",
    theme_light: "Light",
    theme_dark: "Dark",
    served: (replica, source, ms) => `Served by ${replica} from ${source} in ${ms} ms.`,
    not_served: "Served by nginx.",
  },

  // --- Where an answer came from: parts/source.mjs -----------------------------------------------------------------
  source: {
    memory: "its memory",
    redis: "Redis",
    database: "MySQL",
    stale: "an old copy (MySQL is away)",
    direct: "MySQL, uncached",
  },

  // --- What a page shows instead of itself: parts/states.mjs -------------------------------------------------------
  states: {
    loading: "Loading…",
    home: "To the shop",
    again: "Try again",
    log_in: "Log in",
    not_found: "There is nothing here",
    not_found_detail: "The page has moved, was withdrawn, or never was.",
    signed_out: "Please log in",
    signed_out_detail: "This page is yours alone. Log in, and you come back to it.",
    ended: "Your session has ended. Please log in again.",
    forbidden: "This is not for you",
    forbidden_detail: "Only the shop’s staff can open this page.",
    offline: "You are offline",
    offline_detail: "Check the connection, then try again.",
    away: "The shop cannot be reached right now",
    away_detail: "Nothing is lost. It usually comes back within seconds.",
    busy: "The shop is very busy",
    busy_detail: "Please try again in a moment.",
    failed: "That did not work",
    failed_detail: (id) => (id ? `The shop’s log knows it as request ${id}.` : "Please load the page again."),
  },

  // --- Forms: parts/form.mjs ---------------------------------------------------------------------------------------
  forms: {
    optional: "optional",
    missing: "Please fill this in.",
    invalid: "This cannot be used as it is.",
    at_least: (least) => `It must be ${least} at least.`,
    at_most: (most) => `It must be ${most} at most.`,
    too_short: (least) => `It must have at least ${least} characters.`,
    save: "Save",
    cancel: "Cancel",
  },

  // --- Addresses: parts/address.mjs --------------------------------------------------------------------------------
  address: {
    name: "Name",
    line1: "Street and number",
    line2: "Building, floor, flat",
    postal_code: "Postal code",
    city: "City",
    region: "State or province",
    country: "Country",
    phone: "Telephone",
  },

  // --- Lists, search and products: views/home, category, search, product -------------------------------------------
  catalogue: {
    sold_out: "Sold out",
    no_ratings: "No ratings yet",
    stars: (average) => `${average} of 5 stars`,
    ratings: (count) => plural(count, "rating", "ratings"),
  },

  // --- Cart, checkout and orders: views/cart, checkout, orders, order ----------------------------------------------
  checkout: {
  },

  // --- Login, registration and account: views/login, register, account ---------------------------------------------
  account: {
  },

  // --- The backoffice: views/admin ---------------------------------------------------------------------------------
  admin: {
  },

  // --- The system page: views/system -------------------------------------------------------------------------------
  system: {
  },
};
