// Changes of the cart, one after the other: a stepper pressed five times is one request, and whoever reads the cart next,
// here or at the checkout, first waits until they are done.

const AFTER_MS = 350;

let chain = Promise.resolve();
const waiting = new Map();

/** Does `work` when the changes before it are done. Rejects as it does. */
export function inTurn(work) {
  const mine = chain.then(work);
  chain = mine.catch(() => {});
  return mine;
}

/** Does `work` for `name` in a moment, in place of what still waits for that name. */
export function soon(name, work) {
  clearTimeout(waiting.get(name)?.timer);
  const run = () => {
    waiting.delete(name);
    inTurn(work);
  };
  waiting.set(name, { run, timer: setTimeout(run, AFTER_MS) });
}

/** What still waits for `name` is not done. */
export function forget(name) {
  clearTimeout(waiting.get(name)?.timer);
  waiting.delete(name);
}

/** Whether something for `name` is still to be done: what the shop says about it is old. */
export const isWaiting = (name) => waiting.has(name);

/** Starts everything that waits, and ends when all is done. */
export function settled() {
  for (const { run, timer } of waiting.values()) {
    clearTimeout(timer);
    run();
  }
  return chain;
}
