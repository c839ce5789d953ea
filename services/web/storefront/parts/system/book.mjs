// What the system page knows: who answered when, how quickly, and from where. Numbers only; nothing is drawn here.

/** How far back rates, percentiles and shares go. */
export const WINDOW_MS = 10_000;
/** A replica that was not heard of for this long is silent ... */
const SILENT_MS = 1400;
/** ... and one that stayed so is taken off the picture. */
const GONE_MS = 30_000;
/** Who came so lately is marked. */
const NEW_MS = 6000;
/** Colours in system.css. */
const COLOURS = 8;

export const LAYERS = ["memory", "redis", "database", "stale"];

export class Book {
  /** By name, in order of appearance. */
  replicas = new Map();
  totals = { answered: 0, failed: 0, memory: 0, redis: 0, database: 0, stale: 0 };
  #colours = new Map();
  #samples = [];
  #answers = 0;
  #lastAnswer = 0;
  /** What was counted for one moment: the drawing and the table ask for the same. */
  #counted = { at: -1, of: new Map() };
  #began;

  constructor(now) {
    this.#began = now;
  }

  /** A read of the stream. Answers what happened to the replica: "new", "back", or null. */
  read({ replica, status, source, took }, now) {
    const ok = status >= 200 && status < 400;
    const layer = source === "direct" ? "database" : source;
    this.totals[ok ? "answered" : "failed"] += 1;
    if (ok) this.totals[layer] += 1;
    this.#samples.push({ now, ok, layer, took, replica });
    return replica ? this.#heardOf(replica, now) : null;
  }

  /** What a replica said of itself; also "restarted", when it is another process by that name. */
  told(instance, now) {
    const known = this.replicas.get(instance.replica)?.instance;
    const happened = this.#heardOf(instance.replica, now);
    const replica = this.replicas.get(instance.replica);
    replica.instance = instance;
    if (!known || instance.uptime_seconds + 1 >= known.uptime_seconds) return happened;
    replica.came = now;
    return "restarted";
  }

  #heardOf(name, now) {
    this.#answers += 1;
    this.#lastAnswer = now;
    const known = this.replicas.get(name);
    if (!known) {
      if (!this.#colours.has(name)) this.#colours.set(name, this.#colours.size % COLOURS);
      this.replicas.set(name, { name, colour: this.#colours.get(name), came: now, heard: now, mark: this.#answers, silent: false, instance: null });
      return "new";
    }
    const back = known.silent;
    Object.assign(known, { heard: now, mark: this.#answers, silent: false });
    if (!back) return null;
    known.came = now;
    return "back";
  }

  /**
   * Looks who has fallen silent and who is to be forgotten. Silent is who was passed over while the others answered in
   * turn, or when nobody answers at all.
   * @returns {string[]} who has fallen silent
   */
  sweep(now) {
    const here = Array.from(this.replicas.values()).filter(({ silent }) => !silent).length;
    const silent = [];
    for (const replica of this.replicas.values()) {
      const passedOver = this.#answers - replica.mark >= here * 3 || now - this.#lastAnswer > SILENT_MS;
      if (!replica.silent && now - replica.heard > SILENT_MS && passedOver) {
        replica.silent = true;
        silent.push(replica.name);
      }
      if (replica.silent && now - replica.heard > GONE_MS) this.replicas.delete(replica.name);
    }
    const first = this.#samples.findIndex((sample) => now - sample.now <= WINDOW_MS);
    if (first !== 0) this.#samples.splice(0, first === -1 ? this.#samples.length : first);
    return silent;
  }

  /** Time in which nothing was asked does not count as silence. */
  skip(ms) {
    this.#began += ms;
    this.#lastAnswer += ms;
    for (const replica of this.replicas.values()) {
      replica.heard += ms;
      replica.came += ms;
    }
    for (const sample of this.#samples) sample.now += ms;
  }

  /** Whether a replica has come, or come back, since the page was opened and just now. */
  isFresh({ came }, now) {
    return now - came < NEW_MS && came - this.#began > NEW_MS / 2;
  }

  /** Requests a second and percentiles of a replica, or of all without a name; shares of the layers. */
  lately(now, name) {
    if (this.#counted.at !== now) this.#counted = { at: now, of: new Map() };
    const { of } = this.#counted;
    if (!of.has(name)) of.set(name, this.#count(now, name));
    return of.get(name);
  }

  #count(now, name) {
    const samples = name === undefined ? this.#samples : this.#samples.filter(({ replica }) => replica === name);
    const good = samples.filter(({ ok }) => ok);
    const took = good.map((sample) => sample.took).sort((a, b) => a - b);
    const seconds = Math.max(1, Math.min(WINDOW_MS, now - this.#began) / 1000);
    const layers = Object.fromEntries(LAYERS.map((layer) => [layer, good.filter((sample) => sample.layer === layer).length]));
    return { perSecond: samples.length / seconds, p50: percentile(took, 0.5), p99: percentile(took, 0.99), answered: good.length, failed: samples.length - good.length, layers };
  }
}

function percentile(sorted, part) {
  return sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];
}
