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
    // views/login and register
    log_in: "Log in",
    register: "Create an account",
    back_after: "Then you come straight back to where you were.",
    register_detail: "One account keeps your addresses and orders together, and your cart goes with you to every device.",
    email: "E-mail address",
    password: "Password",
    name: "Name",
    show: "Show",
    hide: "Hide",
    show_password: "Show the password",
    hide_password: "Hide the password",
    password_rule: (least) => `At least ${least} characters, of any kind. A few words that do not belong together are good; common words, rows of keys and your own name are not.`,
    new_here: "New here?",
    new_here_detail: "An account takes a name, an e-mail address and a password. What is in your cart comes along.",
    known_here: "Been here before?",
    known_here_detail: "Log in with the e-mail address that you registered. What is in your cart comes along.",
    log_in_instead: "Log in instead",
    capped: (count) => `Your two carts are one now, but ${plural(count, "product", "products")} did not fit in full: please look over the quantities.`,

    // What is refused, at a field or above the button
    problems: {
      wrong_login: "E-mail address and password do not go together. Please check both and try again.",
      too_many_attempts: (seconds) => `That was a few tries in a row. Please wait ${plural(seconds, "second", "seconds")}, then try again.`,
      email_taken: "There is an account with this e-mail address already.",
      email: "Please enter an e-mail address such as name@example.com.",
      too_short: (least) => `Please use at least ${least} characters.`,
      too_long: (most) => `Please use at most ${most} characters.`,
      empty: "Please fill this in.",
      control: "There is a character in this that cannot be used. Please type it anew.",
      guessable: "This one is easy to guess: a common word, a row of keys, or your own name. Please choose another.",
      wrong_current: "This is not your current password.",
      too_many_addresses: (most) => `We keep ${most} addresses at most. Please delete one first.`,
    },

    // views/account
    title: "My account",
    sections: "On this page",
    log_out: "Log out",
    logged_out: "You are logged out. See you soon.",
    profile: "Profile",
    profile_detail: "The name the shop greets you by, and the e-mail address you log in with.",
    since: (day) => `Customer since ${day}`,
    name_hint: "Under your reviews stand your first name and an initial only.",
    save_name: "Save the name",
    name_saved: "Your name is saved.",
    addresses: "Addresses",
    addresses_detail: "Offered to you at checkout. Orders keep the address they were placed with.",
    no_addresses: "No address yet. The first one can also wait until checkout.",
    addresses_full: (most) => `You have ${most} addresses, as many as we keep. Delete one to add another.`,
    add_address: "Add an address",
    edit_address: "Edit the address",
    edit: "Edit",
    delete: "Delete",
    delete_address: "Delete this address?",
    keep: "Keep it",
    address_added: "The address is added.",
    address_saved: "The address is saved.",
    address_deleted: "The address is deleted.",
    password_change: "Password",
    password_change_detail: "A new password logs you out everywhere else. Here you stay logged in.",
    current_password: "Current password",
    new_password: "New password",
    save_password: "Change the password",
    password_saved: "Your password is changed, and you are logged out everywhere else.",
    sessions: "Devices",
    sessions_detail: "Where you are logged in. If you do not know one of these, log it out and change your password.",
    this_browser: "This browser",
    browser_on: (browser, system) => `${browser} on ${system}`,
    unknown_browser: "Unknown browser",
    logged_in_at: (time) => `Logged in ${time}`,
    end_session: "Log out",
    end_others: "Log out everywhere else",
    more_sessions: "Show more",
    session_ended: "That device is logged out.",
    others_ended: "You are logged out everywhere else.",
  },

  // --- The backoffice: views/admin ---------------------------------------------------------------------------------
  admin: {
  },

  // --- The system page: views/system -------------------------------------------------------------------------------
  system: {
  },
};
