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
    front: "Shop",
    trail: "Where you are",
    sold_out: "Sold out",
    no_ratings: "No ratings yet",
    stars: (average) => `${average} of 5 stars`,
    ratings: (count) => plural(count, "rating", "ratings"),

    // The front page.
    hero: "Things that hold.",
    lead: "Tools, textiles and furniture for everyday use, chosen because they last. Made to be mended, and fairly priced.",
    all: "All products",
    new: "New in the shop",
    best: "What others buy",
    categories_title: "Categories",
    see_all: "See all",
    empty_shop: "The shelves are still empty",
    empty_shop_detail: "The first products will be here soon.",

    // Lists.
    category_description: (name) => `${name} at Trestle: things that hold.`,
    results_for: (q) => `Results for “${q}”`,
    filters: "Filters",
    filters_set: (count) => `${count} set`,
    clear: "Clear the filters",
    category: "Category",
    any_category: "All categories",
    price: (currency) => `Price (${currency})`,
    min: "From",
    max: "To",
    rating: "Rating",
    any_rating: "Any",
    rating_from: (stars) => (stars === 1 ? "1 star and more" : `${stars} stars and more`),
    only_in_stock: "In stock only",
    sort: "Sort by",
    sort_newest: "Newest first",
    sort_price_asc: "Price, low to high",
    sort_price_desc: "Price, high to low",
    by_relevance: "Best matches first",
    shown: (count) => `${plural(count, "product", "products")} shown, there are more`,
    shown_all: (count) => plural(count, "product", "products"),
    none: "No products",
    more: "Show more",
    list_anew: "The list has changed, so it starts again from the top.",
    nothing: "Nothing like that here",
    nothing_filtered: "No product fits all of these filters at once. Try it with fewer.",
    nothing_found: "Try fewer or other words, or check the spelling.",
    nothing_here: "There are no products here at the moment.",
    look_here: "Or look around in",

    // A product.
    picture_of: (index, count) => `Picture ${index} of ${count}`,
    variant: "Version",
    other_combination: "only in another combination",
    variant_sold_out: "This one is sold out. Another version can still be had.",
    all_sold_out: "Sold out. We are sorry.",
    in_stock: "In stock",
    left: (count) => `Only ${count} left`,
    quantity: "Quantity",
    one_less: "One less",
    one_more: "One more",
    add: "Add to cart",
    added: (count) => `${plural(count, "piece is", "pieces are")} in your cart now.`,
    added_more: (count, now) => `${count} more: you have ${now} in your cart now.`,
    added_some: (count, now) => `There was room for ${count} more only: you have ${now} in your cart now.`,
    no_more: (present) => `You have ${present} in your cart already, and there are no more to be had.`,
    no_longer: "Somebody was faster: there is not enough left. This is how it is now.",
    withdrawn: "This is no longer sold.",
    cart_full: "Your cart holds 50 different things already. Take something out, or order first.",
    to_cart: "Go to the cart",
    description: "About it",
    related: "Goes well with it",

    // Reviews.
    reviews: "Reviews",
    no_reviews: "Nobody has said anything about it yet.",
    more_reviews: "More reviews",
    write_review: "Write a review",
    change_review: "Change your review",
    your_rating: "Your rating",
    review_text: "What is it like?",
    send_review: "Publish the review",
    changed_later: "changed since",
    review_thanks: "Thank you. Your review is published.",
    review_changed: "Your review has been changed.",
    review_deleted: "Your review has been deleted.",
    delete_review: "Delete",
    delete_review_sure: "Delete your review for good?",
    keep_review: "Keep it",
    already_reviewed: "You have reviewed this before. Here is what you said: change it, or delete it.",
    not_bought: "Only those who bought this can review it. Your text stays here until you close the page.",
    log_in_to_review: "Log in to review what you bought.",

    // Names in the catalogue that a translation is known for; others are shown as they are.
    categories: {
      bags: "Bags",
      bath: "Bath",
      beauty: "Beauty",
      bedding: "Bedding",
      books: "Books",
      "coffee-and-tea": "Coffee and Tea",
      cycling: "Cycling",
      electronics: "Electronics",
      fitness: "Fitness",
      furniture: "Furniture",
      games: "Games",
      garden: "Garden",
      jackets: "Jackets",
      kitchen: "Kitchen",
      knitwear: "Knitwear",
      lighting: "Lighting",
      outdoor: "Outdoor",
      pantry: "Pantry",
      pets: "Pets",
      shirts: "Shirts",
      shoes: "Shoes",
      stationery: "Stationery",
      toys: "Toys",
      trousers: "Trousers",
    },
    options: { size: "Size", colour: "Colour", material: "Material" },
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
