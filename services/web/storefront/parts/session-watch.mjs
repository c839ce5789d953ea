// What the page does when somebody logs in or out, here, in another tab, or because the shop ended the session.

import * as cart from "../lib/cart.mjs";
import { reload } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { t } from "../lib/text.mjs";
import { showHeader } from "./header.mjs";
import { say } from "./states.mjs";

export function watchSession() {
  let who = session.current()?.email;
  session.events.addEventListener("change", () => {
    const now = session.current()?.email;
    showHeader();
    if (now === who) return;
    who = now;
    cart.forget();
    // Somebody else, or nobody, by another tab: what is shown may be personal.
    if (document.hidden) reload();
  });
  session.events.addEventListener("ended", () => {
    say(t("states.ended"), "warn");
    reload();
  });
}
