// Watches an order whose payment is still open, until the shop knows how it ended.

import { get } from "../../lib/api.mjs";

const FIRST_MS = 700;
const LONGEST_MS = 5000;
const GIVE_UP_MS = 180_000;

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<object|null>} the order once it is not pending any more; null when that takes too long or the reader left
 */
export async function watch(id, signal) {
  const began = performance.now();
  for (let pause = FIRST_MS; performance.now() - began < GIVE_UP_MS; pause = Math.min(pause * 1.5, LONGEST_MS)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (signal.aborted) return null;
    // A read that fails is no answer: the next one may be.
    const order = await get(`/orders/${id}`, { signal }).catch(() => null);
    if (order && order.state !== "pending") return order;
  }
  return null;
}
