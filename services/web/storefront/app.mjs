// Lists the products, and shows which replica answered and from where: the page to watch balancing and caching on.
// Nothing here is inline and no style attribute is in the markup, so it works under the strict policy nginx sends.

import { texts } from "/text.mjs";

const PAGE = 20;
// nginx gives up on a read after two tries of 3 s at most.
const PATIENCE_MS = 8_000;
// As many past answers as fit the strip on a phone.
const PAST = 16;

const at = (id) => document.getElementById(id);
const state = { language: preferredLanguage(), items: [], cursor: null, answer: null, problem: null, loading: false };
const replicaNumbers = new Map();

function preferredLanguage() {
  const known = (tag) => Object.keys(texts).find((language) => tag?.toLowerCase().split("-")[0] === language);
  return known(stored("language")) ?? navigator.languages.map(known).find(Boolean) ?? "en";
}

// Storage may be blocked; the page works without.
function stored(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}
function store(key, value) {
  try { localStorage.setItem(key, value); } catch { /* asked again next time */ }
}

const text = () => texts[state.language];

// --- Asking ---------------------------------------------------------------------------------------------------

async function load({ append = false } = {}) {
  if (state.loading) return;
  Object.assign(state, { loading: true, problem: null });
  if (!append) Object.assign(state, { items: [], cursor: null });
  render();
  const query = new URLSearchParams({ limit: PAGE });
  if (append) query.set("cursor", state.cursor);
  const shown = state.items.length;
  try {
    const page = await ask(`/api/v1/products?${query}`);
    state.items = append ? [...state.items, ...page.items] : page.items;
    state.cursor = page.next_cursor;
  } catch (error) {
    state.problem = error;
  }
  state.loading = false;
  render();
  // Whoever pressed "Show more" by keyboard goes on at the first new product.
  if (append && !state.problem) at("products").children[shown]?.focus();
}

async function ask(address) {
  const start = performance.now();
  // Past the browser's cache: what is shown is what a replica said just now.
  const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  const body = await response.text();
  note(response.headers, performance.now() - start);
  if (!response.ok) {
    throw Object.assign(new Error("refused"), { status: response.status, request: response.headers.get("X-Request-Id") });
  }
  return JSON.parse(body);
}

function note(headers, milliseconds) {
  const replica = headers.get("Trestle-Replica");
  if (replica && !replicaNumbers.has(replica)) replicaNumbers.set(replica, replicaNumbers.size % 8);
  state.answer = {
    replica,
    source: source(headers.get("Cache-Status")),
    age: headers.get("Age"),
    milliseconds,
    inside: timings(headers.get("Server-Timing")),
  };
  const mark = document.createElement("li");
  mark.className = replica ? `replica-${replicaNumbers.get(replica)}` : "failed";
  at("past").append(mark);
  while (at("past").children.length > PAST) at("past").firstChild.remove();
}

// RFC 9211: one member a cache, nearest to the origin first; the one that hit gave the answer.
function source(header) {
  if (!header) return null;
  if (/detail="?stale/.test(header)) return "stale";
  const hit = header.split(",").find((member) => /;\s*hit\b/.test(member));
  const name = hit?.split(";")[0].trim().toLowerCase();
  return name === "memory" || name === "redis" ? name : "database";
}

// "db;dur=2.1, render;dur=0.3" as "db 2.1 ms, render 0.3 ms".
function timings(header) {
  return (header ?? "").split(",").flatMap((entry) => {
    const [name, ...parameters] = entry.split(";").map((part) => part.trim());
    const duration = parameters.find((parameter) => parameter.startsWith("dur="))?.slice(4);
    return name && duration ? [`${name} ${number(Number(duration), 1)} ms`] : [];
  }).join(", ");
}

// --- Showing --------------------------------------------------------------------------------------------------

const number = (value, digits) => new Intl.NumberFormat(state.language, { maximumFractionDigits: digits }).format(value);

// Amounts are in the currency's minor units: 1999 is 19.99 USD, but 1999 JPY and 1.999 KWD.
function price({ amount, currency }) {
  const format = new Intl.NumberFormat(state.language, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function render() {
  document.documentElement.lang = state.language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text()[element.dataset.text];
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text()[element.dataset.label]);
  }
  for (const button of document.querySelectorAll(".languages button")) {
    button.setAttribute("aria-pressed", String(button.value === state.language));
  }
  renderAnswer();
  renderProblem();
  const first = state.loading && state.items.length === 0;
  at("products").setAttribute("aria-busy", String(state.loading));
  at("products").replaceChildren(...(first ? Array.from({ length: 8 }, skeleton) : state.items.map(card)));
  at("status").textContent = state.loading ? text().loading : state.items.length ? text().shown(state.items.length) : "";
  at("more").hidden = state.cursor === null || state.problem !== null;
  at("more").disabled = at("refresh").disabled = state.loading;
}

function renderAnswer() {
  const answer = state.answer;
  at("replica").textContent = answer?.replica ?? "–";
  at("replica").className = answer?.replica ? `replica-${replicaNumbers.get(answer.replica)}` : "";
  at("source").textContent = (answer?.source && text()[answer.source]) ?? "–";
  at("age").textContent = answer?.age ? `${number(Number(answer.age), 0)} s` : "–";
  at("time").textContent = answer ? `${number(answer.milliseconds, answer.milliseconds < 10 ? 1 : 0)} ms` : "–";
  at("inside").textContent = answer?.inside || "–";
}

function renderProblem() {
  const problem = state.problem;
  const empty = !problem && !state.loading && state.items.length === 0;
  at("problem").hidden = !problem && !empty;
  if (empty) {
    at("problem-title").textContent = text().empty;
    at("problem-detail").textContent = text().emptyDetail;
  } else if (problem) {
    const [title, detail] = problem.status
      ? [text().failed, text().failedDetail(problem.status, problem.request)]
      : [problem.name === "TimeoutError" ? text().late : text().unreachable, text().unreachableDetail];
    at("problem-title").textContent = title;
    at("problem-detail").textContent = detail;
  }
}

function card(product) {
  const item = element("li", "product");
  item.tabIndex = -1;
  const about = element("div", "about");
  about.append(
    element("p", "category", product.category?.name ?? ""),
    element("h2", "", product.title),
    element("p", "price", price(product.price)),
    element("p", product.in_stock ? "stock" : "stock out", product.in_stock ? text().inStock : text().soldOut),
  );
  item.append(picture(product), about);
  return item;
}

function skeleton() {
  const item = element("li", "product waiting");
  item.setAttribute("aria-hidden", "true");
  item.append(element("div", "picture"), element("div", "about"));
  return item;
}

// Drawn from the title until pictures are shown: the same product looks the same everywhere.
function picture({ title }) {
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (name, attributes) => {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    return shape;
  };
  let hash = 2166136261;
  for (const letter of title) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  const hue = hash % 360;
  const initials = title.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
  const svg = draw("svg", { class: "picture", viewBox: "0 0 160 120", "aria-hidden": "true", preserveAspectRatio: "xMidYMid slice" });
  const label = draw("text", { x: 80, y: 62, "text-anchor": "middle", "dominant-baseline": "middle", fill: `hsl(${hue} 45% 28%)` });
  label.textContent = initials;
  svg.append(
    draw("rect", { width: 160, height: 120, fill: `hsl(${hue} 42% 86%)` }),
    draw("circle", { cx: 20 + ((hash >>> 9) % 120), cy: 14 + ((hash >>> 16) % 40), r: 46, fill: `hsl(${(hue + 40) % 360} 50% 78%)` }),
    draw("path", { d: `M0 ${84 + ((hash >>> 4) % 16)} Q 60 ${60 + ((hash >>> 20) % 30)} 160 ${88 + ((hash >>> 12) % 16)} V120 H0Z`, fill: `hsl(${(hue + 330) % 360} 40% 74%)` }),
    label,
  );
  return svg;
}

function element(name, className, content = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}

// --- Start ----------------------------------------------------------------------------------------------------

at("refresh").addEventListener("click", () => load());
at("retry").addEventListener("click", () => load());
at("more").addEventListener("click", () => load({ append: true }));
for (const button of document.querySelectorAll(".languages button")) {
  button.addEventListener("click", () => {
    state.language = button.value;
    store("language", button.value);
    render();
  });
}
load();
