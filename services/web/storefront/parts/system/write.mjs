// How the system page writes its values.

import { number, t } from "../../lib/text.mjs";

const UNITS = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];

/** Changes a text only when it is another: the page is written four times a second. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Puts the nodes of what is kept by name into the order of the names: api-2 before api-10. */
export function order(parent, byName) {
  const names = Array.from(byName.keys()).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  parent.append(...names.map((name) => byName.get(name).node));
}

/** Milliseconds, with a fraction only where it says something. */
export function amount(ms) {
  if (ms === null) return "–";
  return number(ms, { maximumFractionDigits: ms < 10 ? 1 : 0, minimumFractionDigits: ms < 10 ? 1 : 0 });
}

export function bytes(count) {
  return count === undefined ? "–" : `${number(count / 1e6, { maximumFractionDigits: 0 })} MB`;
}

/** Seconds in their largest units: 3 h 20 min. */
export function duration(seconds) {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first === -1) return t("system.units.s", 0);
  const [[unit, size], finer] = [UNITS[first], UNITS[first + 1]];
  const whole = t(`system.units.${unit}`, Math.floor(seconds / size));
  const rest = finer ? Math.floor((seconds % size) / finer[1]) : 0;
  return rest > 0 ? `${whole} ${t(`system.units.${finer[0]}`, rest)}` : whole;
}

export function share(part, all) {
  return all === 0 ? "–" : number(part / all, { style: "percent" });
}

/** Where a replica runs: its machine, its type, its zone, its version. */
export function place({ host, zone, version }) {
  return [host?.id, host?.type, zone, `v${version}`].filter(Boolean);
}
