// Places an order: asks with the intention's key until the shop says what became of it, or cannot be asked for a while.

import { send } from "../../lib/api.mjs";
import { Problem } from "../../lib/problem.mjs";

/** How long to wait before each further round; lib/api.mjs asks several times in each. */
const PAUSES_MS = [1000, 2000, 4000];

/**
 * @param {import("./intention.mjs").Intention} intention
 * @returns {Promise<object>} the order
 * @throws {Problem} what the shop refused, or, when `isOpen` says so, that the outcome is not known yet
 */
export async function place({ key, body }, signal) {
  let inDoubt = false;
  for (const pause of [...PAUSES_MS, 0]) {
    try {
      return await send("POST", "/orders", body, { key, signal });
    } catch (error) {
      error.inDoubt ||= inDoubt;
      inDoubt = true;
      // Offline or signed out, asking again is of no use until the shopper has done something.
      const idle = error.code === "offline" || error.status === 401;
      if (signal.aborted || !isOpen(error) || idle || pause === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Whether the problem leaves open what became of the order. */
export function isOpen(error) {
  return !(error instanceof Problem) || error.isOutage || error.status === 401 || error.code === "order_in_progress";
}
