// The part of a product's page where it is bought: price, variant, stock, quantity, "add to cart".

import * as cart from "../../lib/cart.mjs";
import { h, link, put } from "../../lib/dom.mjs";
import { Problem } from "../../lib/problem.mjs";
import { money, t } from "../../lib/text.mjs";
import { button } from "../form.mjs";
import { notice, sayProblem } from "../states.mjs";
import { firstVariant, options } from "./options.mjs";
import { MOST, quantity } from "./quantity.mjs";

/**
 * @param {object} product
 * @param {object} of
 * @param {string} [of.wanted] the id of the variant that the address names
 * @param {(variant: object) => void} of.chosen hears of each choice
 * @param {() => Promise<object>} of.reread reads the product again, after it turned out to be another than shown
 */
export function buy(product, { wanted, chosen, reread }) {
  const node = h("div", { class: "buy" });
  const said = h("div", { class: "said", "aria-live": "polite" });
  const variants = h("div", { class: "variants" });
  const price = h("p", { class: "price", "aria-live": "polite" });
  const stock = h("p", { class: "stock", "aria-live": "polite" });
  const pieces = quantity();
  const add = button(t("catalogue.add"), { class: "button primary" }, addToCart, failed);
  let variant;
  put(node, price, variants, stock, h("div", { class: "adding" }, pieces.node, add), said);
  fill(wanted);
  return node;

  function fill(id) {
    variant = firstVariant(product, id);
    put(variants, variant ? options(product, variant, choose) : null);
    show();
  }

  function choose(other) {
    variant = other;
    put(said);
    show();
    chosen(variant);
  }

  function show() {
    price.textContent = money(variant?.price ?? product.price);
    const canBuy = variant?.in_stock ?? false;
    const few = canBuy && Number.isInteger(variant.left);
    put(stock, h("span", { class: canBuy ? (few ? "few" : "good") : "none" }, canBuy ? (few ? t("catalogue.left", variant.left) : t("catalogue.in_stock")) : t(product.in_stock ? "catalogue.variant_sold_out" : "catalogue.all_sold_out")));
    pieces.limit(few ? variant.left : MOST);
    pieces.node.hidden = !canBuy;
    add.hidden = !canBuy;
  }

  async function addToCart() {
    put(said);
    const bought = variant;
    // A PUT says how many there are then, so the ones that are in the cart already are counted in.
    const line = (await cart.read()).items.find((item) => item.variant_id === bought.id);
    const present = line?.quantity ?? 0;
    const most = Math.min(MOST, bought.left ?? MOST);
    const then = Math.min(present + pieces.value(), most);
    if (then <= present) {
      tell("warn", t("catalogue.no_more", present), toCart());
      return;
    }
    const now = (await cart.set(bought.id, then)).items.find((item) => item.variant_id === bought.id);
    if (now && !now.available) {
      // Somebody was faster; what the cart held before is put back.
      await (present > 0 ? cart.set(bought.id, present) : cart.remove(bought.id));
      await again(t("catalogue.no_longer"));
      return;
    }
    const more = then - present;
    const text = more < pieces.value() ? "added_some" : present > 0 ? "added_more" : "added";
    tell("good", t(`catalogue.${text}`, more, then), toCart());
  }

  async function failed(error) {
    if (!(error instanceof Problem)) throw error;
    if (error.code === "cart_full") tell("warn", t("catalogue.cart_full"), toCart());
    else if (error.status === 404 || error.status === 409 || error.status === 422) await again(t("catalogue.no_longer")).catch(failed);
    else tell("bad", sayProblem(error).join(" "));
  }

  /** Says what became of it, and shows the product as it is now. */
  async function again(text) {
    tell("warn", text);
    try {
      product = await reread();
    } catch (error) {
      if (error.status !== 404) throw error;
      // It was withdrawn while it was looked at.
      tell("warn", t("catalogue.withdrawn"));
      product = { ...product, in_stock: false, variants: product.variants.map((one) => ({ ...one, in_stock: false })) };
    }
    fill(String(variant.id));
  }

  function tell(kind, text, ...more) {
    put(said, notice(kind, h("p", {}, text), more));
  }

  function toCart() {
    return link("/cart", {}, t("catalogue.to_cart"));
  }
}
