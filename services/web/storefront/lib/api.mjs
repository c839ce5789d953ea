// The way to the API. What a shopper need not notice is dealt with here: a replica that is gone (asked again), a token
// that has run out (refreshed), a shop that is too busy for a moment (waits as long as it was told).

import { Problem } from "./problem.mjs";
import * as session from "./session.mjs";

const BASE = "/api/v1";
/** How long an answer may take; longer than nginx takes to try another replica. */
const PATIENCE_MS = 14_000;
/** How often a request that may be repeated is sent in all. */
const ATTEMPTS = 4;
const LONGEST_WAIT_MS = 3000;

/** Hears of every answer, `detail` is an Answer: the footer and the system page. */
export const answers = new EventTarget();

/**
 * Reads `path` (below /api/v1). Repeated when no answer comes.
 * @returns {Promise<object>} the body
 * @throws {Problem}
 */
export async function get(path, { signal } = {}) {
  return (await request("GET", path, { signal, repeat: true })).body;
}

/** Reads `path`: the body and the `etag` that an edit has to name. */
export async function getWithTag(path, { signal } = {}) {
  const { body, response } = await request("GET", path, { signal, repeat: true });
  return { body, etag: response.headers.get("ETag") };
}

/**
 * Writes. PUT and DELETE are repeated when no answer comes, because twice means the same; POST only with a `key`, its
 * Idempotency-Key.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {object} [body]
 * @param {{key?: string, etag?: string, once?: boolean, signal?: AbortSignal}} [options] `etag` goes into If-Match; `once`
 *   for what means something else when it is said twice: a change of the password names the old one
 * @throws {Problem}
 */
export async function send(method, path, body, { key, etag, once: single = false, signal } = {}) {
  const repeat = !single && (method === "PUT" || method === "DELETE" || key !== undefined);
  const headers = {};
  if (key) headers["Idempotency-Key"] = key;
  if (etag) headers["If-Match"] = etag;
  return (await request(method, path, { body, headers, signal, repeat })).body;
}

/** A key that makes a repeat of a request safe: one for each intention, kept while that lasts. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One request with all its repeats: the answer and its body. */
export async function request(method, path, { body, headers, signal, repeat }) {
  await session.freshen();
  let refreshed = false;
  let inDoubt = false;
  for (let attempt = 1; ; attempt += 1) {
    let problem;
    try {
      const answer = await once(method, path, body, headers, signal);
      if (answer.response.ok) return answer;
      problem = answer.problem;
    } catch (error) {
      if (signal?.aborted) throw error;
      problem = new Problem(0, { code: navigator.onLine ? "no_answer" : "offline", detail: String(error) });
    }
    if (problem.status === 401 && problem.code === "unauthenticated" && session.current() && !refreshed) {
      // The token was good by our clock but not by the shop's, or the session has ended elsewhere.
      refreshed = true;
      await session.refresh();
      continue;
    }
    // 503 and 429 say that nothing was done, or that a cart was changed and could not be shown: each may be repeated.
    const refused = problem.status === 503 || problem.status === 429 || problem.code === "order_in_progress";
    const unknown = problem.status === 0 || problem.status === 502 || problem.status === 504;
    problem.inDoubt = inDoubt;
    inDoubt ||= unknown || problem.code === "order_in_progress";
    // Offline, and a shop that is being moved, last longer than one would wait for.
    const lasts = problem.code === "offline" || problem.code === "maintenance";
    if (attempt >= ATTEMPTS || lasts || !(refused || (unknown && repeat))) throw problem;
    const asked = (problem.retryAfter ?? 0.1 * 2 ** attempt) * 1000;
    await pause(Math.min(asked, LONGEST_WAIT_MS) * (1 + Math.random() / 4), signal);
  }
}

async function once(method, path, body, headers, signal) {
  const began = performance.now();
  const limits = [AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])];
  const response = await fetch(BASE + path, {
    method,
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
    signal: AbortSignal.any(limits),
  });
  const text = await response.text();
  tell(method, path, response, performance.now() - began);
  let parsed = null;
  try {
    parsed = text === "" ? null : JSON.parse(text);
  } catch {
    parsed = { code: "not_json", detail: text.slice(0, 200) };
  }
  if (response.ok) return { response, body: parsed };
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  return { response, problem: new Problem(response.status, parsed ?? { code: "empty" }, retryAfter) };
}

/**
 * @typedef {object} Answer
 * @property {string} method
 * @property {string} path
 * @property {number} status
 * @property {number} took milliseconds, as seen from here
 * @property {string|null} replica who answered
 * @property {string|null} cacheStatus RFC 9211
 * @property {string|null} serverTiming
 */
function tell(method, path, response, took) {
  const detail = {
    method,
    path,
    status: response.status,
    took,
    replica: response.headers.get("Trestle-Replica"),
    cacheStatus: response.headers.get("Cache-Status"),
    serverTiming: response.headers.get("Server-Timing"),
  };
  answers.dispatchEvent(new CustomEvent("answer", { detail }));
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
