// The main journeys through the shop, for k6. README.md beside this file says how to run it.
//
// Every request to the API goes through call(), with the path as services/api/openapi.json writes it, the statuses that are
// good, and the fields of the answer that are used. A test reads these calls and holds them against that file.

import { check, fail, group, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter } from "k6/metrics";

const BASE_URL = (__ENV.BASE_URL || "http://127.0.0.1:8080").replace(/\/+$/, "");
const VUS = Number(__ENV.VUS || 10);
/** Seconds: the mean of the think time between two pages. TPC-W's is 7. */
const THINK = Number(__ENV.THINK || 7);
/** The share of visitors who buy, and of these the share that has an account already. */
const BUYERS = Number(__ENV.BUYERS || 0.3);
const RETURNING = Number(__ENV.RETURNING || 0.8);
const WORDS = (__ENV.WORDS || "steel,wool,oak,lamp,kettle").split(",");
const PASSWORD = "correct horse battery";

const placed = new Counter("orders_placed");
const soldOut = new Counter("orders_sold_out");

export const options = {
  scenarios: { shoppers: scenario() },
  thresholds: thresholds(),
  // Without it each address of a product would be a time series of its own.
  systemTags: ["status", "method", "name", "group", "check", "scenario", "error_code"],
};

/** ITERATIONS: so many visits, then the end. RATE: so many begin each second (open model). Else VUS visit on and on. */
function scenario() {
  const duration = __ENV.DURATION || "30s";
  if (__ENV.ITERATIONS) {
    return { executor: "shared-iterations", vus: VUS, iterations: Number(__ENV.ITERATIONS), maxDuration: "10m" };
  }
  if (__ENV.RATE) {
    const rate = Number(__ENV.RATE);
    return { executor: "constant-arrival-rate", rate, timeUnit: "1s", duration, preAllocatedVUs: VUS };
  }
  return { executor: "constant-vus", vus: VUS, duration };
}

/** Correctness always; response limits in milliseconds too, unless LIMITS=off, as where the machine is shared. */
function thresholds() {
  const correct = {
    // One refusal in a thousand may be: under too much load a shop says 503. A wrong answer may not.
    "checks{about:status}": ["rate>=0.999"],
    "checks{about:content}": ["rate==1"],
    dropped_iterations: ["count==0"],
  };
  if (__ENV.LIMITS === "off") {
    return correct;
  }
  return {
    ...correct,
    "http_req_duration{class:read}": ["p(99)<250"],
    "http_req_duration{class:write}": ["p(99)<500"],
    // A password hash is dear on purpose.
    "http_req_duration{class:hash}": ["p(99)<2000"],
  };
}

/** Before the load: one account for each virtual user, so that no two fill one cart. */
export function setup() {
  const accounts = [];
  for (let n = 0; n < VUS; n += 1) {
    accounts.push(register().email);
  }
  return { accounts };
}

/** One visit. k6 gives each a new cookie jar: whoever comes is unknown, with an empty cart. */
export default function visit({ accounts }) {
  const shopper = { token: null };
  group("browse", () => browse(shopper));
  const product = group("search", () => search(shopper));
  if (!product || Math.random() >= BUYERS) {
    return;
  }
  group("cart", () => fillCart(shopper, product));
  group("log in", () => {
    const isReturning = Math.random() < RETURNING;
    shopper.token = isReturning ? logIn(accounts[exec.vu.idInTest - 1]) : register().token;
  });
  const order = group("check out", () => checkOut(shopper));
  if (order) {
    group("order", () => showOrder(shopper, order));
  }
}

// --- Journeys ------------------------------------------------------------------------------------------------------

function browse(shopper) {
  home();
  call("GET", "/categories", 200, ["items[].handle"], { shopper });
  const best = call("GET", "/products/best-sellers", 200, ["items[].id"], { shopper });
  call("GET", "/products/new", 200, ["items[].id"], { shopper });
  think();
  if (best.items.length > 0) {
    open(shopper, pick(best.items).id);
  }
}

/** Looks for a word, then for anything that is there. Answers a product of which there is plenty, if one is found. */
function search(shopper) {
  const query = { q: pick(WORDS), in_stock: true };
  call("GET", "/products", 200, ["items[].id"], { shopper, query });
  think();
  const all = call("GET", "/products", 200, ["items[].id"], { shopper, query: { in_stock: true, limit: 20 } });
  think();
  for (let tries = 0; tries < 5 && all.items.length > 0; tries += 1) {
    const product = open(shopper, pick(all.items).id);
    if (product.variants.some(isPlenty)) {
      return product;
    }
  }
  return null;
}

/** A product's page asks for three things. */
function open(shopper, id) {
  const product = call(
    "GET", "/products/{id}", 200,
    ["id", "variants[].id", "variants[].in_stock", "variants[].left"],
    { shopper, path: { id } },
  );
  call("GET", "/products/{id}/reviews", 200, ["items[].rating"], { shopper, path: { id } });
  call("GET", "/products/{id}/related", 200, ["items[].id"], { shopper, path: { id } });
  think();
  expect(product, { "the product is the one asked for": (it) => it.id === id });
  return product;
}

function fillCart(shopper, product) {
  const variant_id = product.variants.find(isPlenty).id;
  const put = (quantity) =>
    call(
      "PUT", "/cart/items/{variant_id}", 200,
      ["items[].variant_id", "items[].quantity"],
      { shopper, path: { variant_id }, body: { quantity } },
    );
  put(1);
  think();
  const cart = put(2);
  think();
  expect(cart, {
    "the cart holds two": (it) => it.items.some((line) => line.variant_id === variant_id && line.quantity === 2),
  });
}

/** A new account, with a session and an address. */
function register() {
  const email = `k6-${crypto.randomUUID()}@example.com`;
  const session = call(
    "POST", "/customers", 201,
    ["access_token", "customer.email"],
    { kind: "hash", body: { email, password: PASSWORD, name: "Ada Lovelace" } },
  );
  expect(session, { "the account is ours": (it) => it.customer.email === email });
  const shopper = { token: session.access_token };
  const body = {
    name: "Ada Lovelace", line1: "12 St James's Square", city: "London", postal_code: "SW1Y 4JH", country: "GB",
  };
  call("POST", "/customers/me/addresses", 201, ["id"], { shopper, body });
  return { email, token: session.access_token };
}

function logIn(email) {
  const session = call(
    "POST", "/sessions", 201,
    ["access_token", "cart.merged"],
    { kind: "hash", body: { email, password: PASSWORD } },
  );
  expect(session, { "the visitor's cart came along": (it) => it.cart.merged === 1 });
  return session.access_token;
}

/** Buys all that is in the cart. Answers the order; null when somebody else was faster. */
function checkOut(shopper) {
  const cart = call(
    "GET", "/cart", 200,
    ["items[].variant_id", "items[].quantity", "total"],
    { shopper },
  );
  const addresses = call("GET", "/customers/me/addresses", 200, ["items[].id"], { shopper });
  think();
  const body = {
    items: cart.items.map(({ variant_id, quantity }) => ({ variant_id, quantity })),
    address_id: addresses.items[0].id,
    payment_token: "tok_approve",
    expected_total: cart.total,
  };
  // The key makes a repeat safe: whoever does not know what became of an order sends it again, and it is placed once.
  const key = crypto.randomUUID();
  const place = () =>
    call(
      "POST", "/orders", [201, 409],
      ["id", "state", "total"],
      { shopper, body, headers: { "Idempotency-Key": key } },
    );
  const order = place();
  if (order.status === 409) {
    soldOut.add(1);
    call("DELETE", "/cart", 200, [], { shopper });
    return null;
  }
  placed.add(1);
  const again = place();
  expect(order, {
    "the order is paid": (it) => it.state === "paid",
    "it costs what the cart said": (it) => it.total.amount === cart.total.amount,
    "a repeat is answered with the same order": (it) => again.id === it.id,
  });
  return order;
}

function showOrder(shopper, order) {
  const list = call("GET", "/orders", 200, ["items[].id"], { shopper });
  expect(list, { "the newest order is listed first": (it) => it.items[0].id === order.id });
  const shown = call("GET", "/orders/{id}", 200, ["id", "total", "items[].quantity"], { shopper, path: { id: order.id } });
  expect(shown, {
    "the order is shown": (it) => it.id === order.id && it.total.amount === order.total.amount,
    "with its lines": (it) => it.items.length > 0,
  });
  const cart = call("GET", "/cart", 200, ["count"], { shopper });
  expect(cart, { "what was ordered is off the cart": (it) => it.count === 0 });
}

// --- Helpers -------------------------------------------------------------------------------------------------------

/** The page itself, which nginx serves, and the files that it names. A browser keeps those; a visitor's first page has none. */
function home() {
  const tags = { name: "/", class: "read" };
  const page = http.get(`${BASE_URL}/`, { tags });
  const files = [...(page.body || "").matchAll(/(?:src|href)="(\/v\/[^"]+)"/g)].map((found) => found[1]);
  check(page, { "/ 200": (it) => it.status === 200 }, { about: "status" });
  expect(files, { "/ names its files": (them) => them.length > 0 });
  const asked = files.map((file) => ["GET", BASE_URL + file, null, { tags: { name: "/v/", class: "read" } }]);
  check(http.batch(asked), { "/v/ 200": (them) => them.every((it) => it.status === 200) }, { about: "status" });
}

/**
 * Asks the API. Answers the `fields` of its answer and nothing else, so that none is used that is not named here.
 *
 * @param {string} method
 * @param {string} route as the OpenAPI file writes it, without /api/v1
 * @param {number|number[]} statuses that are good
 * @param {string[]} fields such as "items[].id"
 * @param {object} [asked] shopper, path (values for the braces), query, body, headers, kind (of response limit)
 */
function call(method, route, statuses, fields, asked = {}) {
  const good = [statuses].flat();
  const path = route.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(asked.path[name]));
  const query = Object.entries(asked.query || {}).map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const headers = { ...asked.headers };
  if (asked.body) {
    headers["Content-Type"] = "application/json";
  }
  if (asked.shopper && asked.shopper.token) {
    headers.Authorization = `Bearer ${asked.shopper.token}`;
  }
  const answer = http.request(
    method,
    `${BASE_URL}/api/v1${path}${query && `?${query}`}`,
    asked.body ? JSON.stringify(asked.body) : null,
    {
      headers,
      tags: { name: route, class: asked.kind || (method === "GET" ? "read" : "write") },
      // What http_req_failed counts: everything else.
      responseCallback: http.expectedStatuses(...good),
    },
  );
  const name = `${method} ${route} ${good.join(" or ")}`;
  const isGood = check(answer, { [name]: (it) => good.includes(it.status) }, { about: "status" });
  if (!isGood) {
    // Ends this visit; the next shopper comes.
    fail(`${method} ${path}: ${answer.status} ${answer.body || answer.error}`);
  }
  const kept = { status: answer.status };
  const body = fields.length > 0 && answer.status < 300 ? answer.json() : {};
  for (const field of fields) {
    keep(body, kept, field.split("."));
  }
  return kept;
}

/** Checks what an answer says. */
function expect(answer, checks) {
  check(answer, checks, { about: "content" });
}

/** Copies what a field's path leads to: `name[]` is a list. */
function keep(from, to, [name, ...rest]) {
  const key = name.replace("[]", "");
  if (rest.length === 0 || from[key] === undefined || from[key] === null) {
    to[key] = from[key];
  } else if (name.endsWith("[]")) {
    to[key] = to[key] || from[key].map(() => ({}));
    from[key].forEach((item, n) => keep(item, to[key][n], rest));
  } else {
    to[key] = to[key] || {};
    keep(from[key], to[key], rest);
  }
}

/** The shop says how many are left only when they are few. */
function isPlenty(variant) {
  return variant.in_stock && (variant.left === undefined || variant.left === null);
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

/** Exponential, cut at ten times the mean, as TPC-W's. */
function think() {
  if (THINK > 0) {
    sleep(Math.min(-Math.log(1 - Math.random()) * THINK, 10 * THINK));
  }
}
