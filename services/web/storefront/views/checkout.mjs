// The checkout: from the cart to an order, once. What is being bought is kept (parts/checkout/intention.mjs) until its
// outcome is known, so whatever happens in between, the same order is asked for again, never another one.

import { get } from "../lib/api.mjs";
import * as cart from "../lib/cart.mjs";
import { h, link, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { go, next, reload, replace } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { t } from "../lib/text.mjs";
import * as intention from "../parts/checkout/intention.mjs";
import * as kept from "../parts/checkout/kept.mjs";
import { orderForm, sayIn } from "../parts/checkout/order-form.mjs";
import { isOpen, place } from "../parts/checkout/place.mjs";
import { paying, stuck } from "../parts/checkout/progress.mjs";
import { kindOf, refusal } from "../parts/checkout/refusals.mjs";
import { visitor } from "../parts/checkout/visitor.mjs";
import * as writes from "../parts/checkout/writes.mjs";
import { button } from "../parts/form.mjs";
import { bones, empty, sayProblem } from "../parts/states.mjs";

export function skeleton() {
  return h(
    "div",
    { class: "page co-checkout", "aria-busy": true },
    h("h1", {}, t("checkout.checkout")),
    h("div", { class: "co-columns", "aria-hidden": true }, h("div", { class: "co-parts" }, bones(6)), h("aside", { class: "co-summary" }, bones(4))),
  );
}

export default async function (visit) {
  const { signal } = visit;
  const title = t("checkout.checkout");
  if (!session.current()) return { title, node: visitor(intention.isOpen()) };
  await writes.settled();
  const slot = h("div", { class: "co-slot" });
  const node = h("div", { class: "page co-checkout" }, h("h1", { tabindex: -1 }, title), slot);

  let shownCount = null;

  /** Shows the form, with what the shop refused when `problem` is given. `body` is what was asked for then. */
  async function showForm(problem, body) {
    const [read, addresses] = await Promise.all([cart.read({ coupon: kept.coupon(), signal }), get("/customers/me/addresses", { signal })]);
    const nothing = !read.items.some(({ price }) => price);
    if (nothing) {
      put(slot, empty(t("checkout.empty"), t("checkout.empty_detail"), link(read.items.length ? "/cart" : "/", { class: "button primary" }, t(read.items.length ? "checkout.to_cart" : "checkout.look_around"))));
      return;
    }
    const shown = orderForm({ read, addresses: addresses.items, chosen: body, total: problem?.body.total, silent: problem && kindOf(problem) === "coupon" }, (wanted) => buy(intention.begin(wanted)));
    put(slot, shown.node);
    shownCount = read.count;
    if (!problem) return;
    // Where there is something to choose first, paying comes after it.
    shown.buy.hidden = ["out_of_stock", "coupon"].includes(kindOf(problem));
    const { at, node: said } = refusal(problem, read.items, {
      withoutCoupon: () => change(body, () => kept.keepCoupon(null)),
      takeLeft: (short) => change(body, () => writes.inTurn(() => takeLeft(short))),
    });
    // A form that is not in the page yet cannot be gone to.
    if (node.isConnected) sayIn(shown[at], said);
    else put(shown[at], said);
  }

  /** Does what the shopper chose after a refusal, and shows the form with what it comes to now. */
  async function change(body, work) {
    await work();
    await showForm(undefined, body);
    (slot.querySelector("button[type=submit]") ?? node.querySelector("h1")).focus();
  }

  async function buy(wanted, again = false) {
    intention.setStuck(false);
    progress(paying(wanted.body.expected_total, again, signal));
    try {
      const order = await place(wanted, signal);
      intention.end();
      kept.keepCoupon(null);
      // The shop took what was bought out of the cart: the header says what it holds now.
      await cart.read().catch(() => cart.forget());
      if (!signal.aborted) await replace(`/orders/${order.id}?placed=1`);
    } catch (error) {
      if (signal.aborted) return;
      // A replica died before it could pay: the shop ended that order without a payment. Nobody was refused, so it is
      // tried again, once.
      const lost = error.code === "payment_declined" && (error.inDoubt || again) && !wanted.renewed;
      await (lost ? buy(intention.renew(wanted)) : explain(error, wanted));
    }
  }

  async function explain(error, { body }) {
    if (error.status === 401 && !session.current()) {
      await go(`/login?${next()}`);
    } else if (isOpen(error)) {
      if (!(error instanceof Problem)) console.error(error);
      intention.setStuck(true);
      progress(stuck(error, resume));
    } else {
      intention.end();
      if (kindOf(error) === "payment_declined") cart.read({ signal }).catch(() => {});
      await showForm(error, body).catch((trouble) => {
        if (!signal.aborted) put(slot, empty(...sayProblem(trouble), button(t("states.again"), { class: "button primary" }, reload)));
      });
    }
  }

  function progress(shown) {
    put(slot, shown);
    if (node.isConnected) slot.querySelector("h2").focus({ preventScroll: true });
    if (node.isConnected) scrollTo({ top: 0, behavior: "instant" });
  }

  function resume() {
    const open = intention.current();
    return open ? buy(open, true) : showForm();
  }

  // Another tab changed the cart: the form shows another one than the shopper would buy.
  const look = () => shownCount !== null && cart.count() !== shownCount && !intention.current() && reload();
  addEventListener("storage", look, { signal });
  // The browser may bring back the page as it was before the order: its form must not buy again.
  addEventListener("pageshow", (event) => event.persisted && reload(), { signal });
  addEventListener("online", () => intention.current()?.stuck && resume(), { signal });

  const open = intention.current();
  if (open?.stuck) put(slot, stuck(null, resume));
  else if (open) resume();
  else await showForm();
  return { title, node };
}

async function takeLeft(short) {
  for (const { variant_id: variant, left } of short) await (left > 0 ? cart.set(variant, left) : cart.remove(variant));
}
