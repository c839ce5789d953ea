// What login and registration have in common: the page, and what happens when somebody is in.

import * as cart from "../../lib/cart.mjs";
import { h } from "../../lib/dom.mjs";
import { replace } from "../../lib/router.mjs";
import { t } from "../../lib/text.mjs";
import { say } from "../states.mjs";

/** The page: a form under its title, and beside it what there is instead. */
export function entryPage(title, lead, form, aside) {
  return h(
    "div",
    { class: "page entry" },
    h("div", { class: "ask" }, h("h1", { tabindex: -1 }, title), lead && h("p", { class: "soft" }, lead), form),
    h("aside", { class: "instead", "aria-labelledby": "instead" }, aside),
  );
}

/** Somebody is in: tells what became of the visitor's cart, and goes on. */
export async function enter({ cart: merged }, next) {
  if (merged.capped.length > 0) say(t("account.capped", merged.capped.length), "warn");
  // Only the number in the header depends on it: the next page says what is wrong, if something is.
  await cart.read().catch(() => {});
  await replace(next);
}
