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
    title: "The system at work",
    about: "Every dot is a read that this page sends. It goes to whichever replica is free, and shows which memory the answer came from. Add a replica, drain one, kill one, and watch.",
    rate: "Reads a second",
    kind: "What is read",
    kinds: { mixed: "A bit of everything", products: "Popular products", lists: "Lists", search: "Searches", cold: "What nobody asked for yet" },
    pause: "Pause",
    browser: "This browser",
    tier_edge: "Web tier",
    tier_api: "API tier",
    tier_data: "Data tier",
    a_second: (count) => `${count}/s`,
    in_flight: (count) => `${count} on the way`,
    answers: (count) => `${count} answered`,
    failures: (count) => `${count} failed`,
    stale_now: (count) => `${count} old copies`,
    per_second: "req/s",
    memory: "memory",
    up: (time) => `up ${time}`,
    silent_for: (seconds) => `silent for ${seconds} s`,
    answers_now: "answers",
    units: { d: (count) => `${count} d`, h: (count) => `${count} h`, min: (count) => `${count} min`, s: (count) => `${count} s` },
    breakers: { closed: "Redis in use", open: "Redis left alone", off: "without Redis" },
    sources: "Where the answers came from",
    sources_about: "In the last 10 seconds, and since this page was opened.",
    layers: { memory: "Replica’s memory", redis: "Redis", database: "MySQL", stale: "Old copy" },
    in_all: (count) => `${count} in all`,
    events: "What happened",
    no_events: "Nothing yet.",
    happened: { new: "is here", back: "is back", restarted: "is another process now", silent: "has fallen silent" },
    errors: "What failed",
    no_failures: "Nothing so far.",
    no_answer: "No answer",
    table: "The replicas in figures",
    table_about: "Reads a second, p50 and p99 are what this page saw in the last 10 seconds. The cache’s figures are the replica’s own since it started, and of everybody’s requests.",
    columns: {
      name: "Replica",
      state: "State",
      host: "Runs as",
      zone: "Zone",
      version: "Version",
      uptime: "Up for",
      per_second: "Reads/s",
      p50: "p50 ms",
      p99: "p99 ms",
      memory: "Memory",
      breaker: "Redis",
      from_memory: "From memory",
      from_redis: "From Redis",
      from_database: "From MySQL",
      stale: "Old copies",
    },
  },
};
