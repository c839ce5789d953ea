// The requests on their way: a dot goes from the browser to nginx, waits there for the answer, and then shows where that
// came from. The browser moves the dots by itself (Web Animations): nothing here runs for each frame.

import { h } from "../../lib/dom.mjs";

const TO_NGINX_MS = 260;
const HOP_MS = 320;
const FADE_MS = 260;
const ERROR_MS = 900;
/** More at a time would only be a cloud. */
const MOST = 60;

/** Which box a source is; memory and old copies are in the replica itself. */
const STORE = { redis: "redis", database: "mysql", direct: "mysql" };

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Dots {
  #picture;
  #count = 0;

  /** @param {import("./picture.mjs").Picture} picture */
  constructor(picture) {
    this.#picture = picture;
  }

  /** A request sets out; `arrive` takes what it gives. */
  leave() {
    const { way, air } = this.#picture;
    if (still.matches || !way || this.#count >= MOST) return null;
    this.#count += 1;
    const dot = h("span", { class: "dot" });
    air.append(dot);
    return { dot, there: move(dot, way.in, TO_NGINX_MS) };
  }

  /**
   * Its answer: the dot goes on to the replica and to where the answer came from, or shows what went wrong.
   * @param {object|null} token from `leave`
   * @param {{status: number, replica: string|null, source: string, colour: number}|null} heard null takes it away
   */
  async arrive(token, heard) {
    if (!token) return;
    const { dot, there } = token;
    await there;
    if (heard) await this.#show(dot, heard);
    dot.remove();
    this.#count -= 1;
  }

  async #show(dot, { status, replica, source, colour }) {
    const { way } = this.#picture;
    const ways = way.replicas.get(replica);
    const bad = status === 0 || status >= 400;
    dot.classList.add(bad ? "bad" : `c${colour}`);
    if (bad) dot.textContent = status === 0 ? "×" : String(status);
    let at = way.in.at(-1);
    for (const part of [ways?.in, bad ? null : ways?.[STORE[source]]]) {
      if (!part) continue;
      await move(dot, part, HOP_MS);
      at = part.at(-1);
    }
    const here = place(at);
    await played(dot.animate({ transform: [here, `${here} scale(${bad ? 1 : 2.6})`], opacity: [1, bad ? 1 : 0] }, { duration: bad ? ERROR_MS : FADE_MS, easing: "ease-out", fill: "forwards" }));
  }
}

/** Along a way, as fast on each part of it. */
function move(dot, points, duration) {
  const lengths = points.slice(1).map(([x, y], i) => Math.hypot(x - points[i][0], y - points[i][1]));
  const all = lengths.reduce((sum, length) => sum + length, 0) || 1;
  let gone = 0;
  const frames = points.map(([x, y], i) => {
    gone += i === 0 ? 0 : lengths[i - 1];
    return { transform: place([x, y]), offset: Math.min(1, gone / all) };
  });
  return played(dot.animate(frames, { duration, easing: "linear", fill: "forwards" }));
}

function place([x, y]) {
  return `translate(${x}px, ${y}px)`;
}

function played(animation) {
  return new Promise((resolve) => {
    animation.onfinish = resolve;
    animation.oncancel = resolve;
  });
}
