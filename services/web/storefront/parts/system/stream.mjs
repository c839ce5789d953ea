// The requests of the system page: the stream of reads that is drawn, and the questions who is there. Nothing is
// repeated and nothing is hidden, other than in lib/api.mjs: what fails here is what the page is to show.

import { sourceOf } from "../source.mjs";
import { Reads } from "./reads.mjs";

const BASE = "/api/v1";
/** Longer than nginx gives a replica and the next one. */
const PATIENCE_MS = 6000;
/** Together as many as a browser opens to a host over HTTP/1.1, so that nothing waits where it is not seen. */
const READS_AT_A_TIME = 4;
const QUESTIONS_AT_A_TIME = 2;
/** Questions a second: several for each replica, whoever balances them. */
const QUESTIONS = { each: 2, least: 4, most: 16 };

export const RATE = { least: 0, most: 40, usual: 6 };

/**
 * @typedef {object} Heard
 * @property {string} path
 * @property {number} status 0 when no answer came
 * @property {string|null} replica
 * @property {string} source memory, redis, database, stale or direct
 * @property {number} took milliseconds
 * @property {object|null} body
 */

export class Stream {
  rate = RATE.usual;
  kind = "mixed";
  #reads = new Reads();
  #running = null;
  #inFlight = 0;
  #questions = 0;
  #hears;

  /**
   * @param {{sent: function(string): any, heard: function(Heard, any), told: function(Heard), replicas: function(): number}} hears
   *   `sent` gives what `heard` gets back with the answer
   */
  constructor(hears) {
    this.#hears = hears;
  }

  get inFlight() {
    return this.#inFlight;
  }

  get runs() {
    return this.#running !== null;
  }

  start() {
    if (this.#running) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    every(() => (this.rate > 0 ? 1000 / this.rate : 250), () => this.rate > 0 && this.#read(signal), signal);
    every(() => 1000 / this.#questionsASecond(), () => this.#question(signal), signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
  }

  #questionsASecond() {
    return Math.min(QUESTIONS.most, Math.max(QUESTIONS.least, this.#hears.replicas() * QUESTIONS.each));
  }

  async #read(signal) {
    if (this.#inFlight >= READS_AT_A_TIME) return;
    this.#inFlight += 1;
    const path = this.#reads.next(this.kind);
    const token = this.#hears.sent(path);
    const heard = await ask(path, this.#reads.wants(path), signal);
    this.#inFlight -= 1;
    if (heard.status === 200 && heard.body) this.#reads.learn(path, heard.body);
    this.#hears.heard(signal.aborted ? null : heard, token);
  }

  async #question(signal) {
    if (this.#questions >= QUESTIONS_AT_A_TIME) return;
    this.#questions += 1;
    const heard = await ask("/instance", true, signal);
    this.#questions -= 1;
    if (!signal.aborted) this.#hears.told(heard);
  }
}

/** @returns {Promise<Heard>} */
async function ask(path, read, signal) {
  const began = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    // Not from the browser's own cache, and without an ETag: every read is to be answered by a replica.
    const response = await fetch(BASE + path, { cache: "no-store", credentials: "omit", signal: limit });
    const bytes = read && response.ok ? await response.json() : await response.arrayBuffer();
    return {
      path,
      status: response.status,
      replica: response.headers.get("Trestle-Replica"),
      source: sourceOf(response.headers.get("Cache-Status")),
      took: performance.now() - began,
      body: read && response.ok ? bytes : null,
    };
  } catch {
    return { path, status: 0, replica: null, source: "direct", took: performance.now() - began, body: null };
  }
}

/** Calls `work` after each `wait()` milliseconds, until `signal`. */
function every(wait, work, signal) {
  let timer;
  const next = () => {
    timer = setTimeout(() => {
      work();
      next();
    }, wait());
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  next();
}
