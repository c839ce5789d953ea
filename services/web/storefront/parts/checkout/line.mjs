// A line of the cart. It is made once and then updated in place, so that whoever uses its buttons keeps the focus.

import { h, link, put } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { button } from "../../parts/form.mjs";
import { picture } from "../../parts/picture.mjs";
import { stepper } from "./stepper.mjs";

/**
 * @param {object} item a CartItem of the API
 * @param {{title: string, price: object}|undefined} seen what the shopper last saw of it
 * @param {{choose: (quantity: number) => void}} actions 0 takes the line out
 * @returns {{node: Node, update: (item: object, left: number|null|undefined) => void, removed: (undo: (() => void)|null) => void}}
 */
export function cartLine(item, seen, { choose }) {
  const title = item.title ?? seen?.title ?? t("checkout.withdrawn_title");
  const count = stepper(title, choose);
  const about = h("div", { class: "co-about" });
  const sum = h("p", { class: "co-sum" });
  const foot = h("div", { class: "co-foot" });
  const node = h("li", { class: "co-line" });

  const name = item.title ? link(`/products/${item.product_id}`, {}, title) : title;
  const image = picture({ url: item.picture, title, id: item.product_id, colour: item.options.join(" ") });
  const shown = item.title ? link(`/products/${item.product_id}`, { class: "co-picture", tabindex: -1, "aria-hidden": true }, image) : h("div", { class: "co-picture" }, image);
  const remove = button(t("checkout.remove"), { class: "co-plain", "aria-label": t("checkout.remove_of", title) }, () => choose(0));

  const fill = () => put(node, shown, about, foot, sum);

  const update = (now, left) => {
    if (node.classList.contains("gone")) {
      node.classList.remove("gone");
      fill();
    }
    node.classList.toggle("unavailable", !now.available);
    put(
      about,
      h("h2", {}, name),
      now.options.length > 0 && h("p", { class: "soft" }, now.options.join(" · ")),
      now.price && h("p", { class: "soft co-each" }, t("checkout.each", money(now.price))),
      priceNews(seen, now),
      !now.available && trouble(now, left, choose),
    );
    // Put there once: an element that is moved loses the focus.
    if (!foot.contains(remove) || foot.contains(count.node) !== Boolean(now.price)) put(foot, now.price && count.node, remove);
    count.show(now.quantity);
    put(sum, now.total ? h("span", { class: "price" }, money(now.total)) : h("span", { class: "badge bad" }, t("checkout.not_sold")));
  };

  const removed = (undo) => {
    node.classList.add("gone");
    const back = undo && button(t("checkout.undo"), { class: "button small", "aria-label": t("checkout.undo_of", title) }, undo);
    const text = h("p", { tabindex: -1 }, t("checkout.removed", title));
    // What is no longer sold cannot be put back.
    const next = undo ? back : text;
    put(node, text, undo && back);
    next.focus();
  };

  fill();
  update(item);
  return { node, update, removed };
}

function priceNews(seen, { price }) {
  if (!seen?.price || !price || seen.price.amount === price.amount || seen.price.currency !== price.currency) return null;
  const kind = price.amount < seen.price.amount ? "checkout.price_fell" : "checkout.price_rose";
  return h("p", { class: "co-news" }, t(kind, money(seen.price), money(price)));
}

function trouble(item, left, choose) {
  if (!item.price) return h("p", { class: "co-trouble" }, t("checkout.withdrawn"));
  if (left === undefined) return h("p", { class: "co-trouble" }, t("checkout.too_few"));
  if (left === null || left >= item.quantity) return null;
  if (left === 0) return h("p", { class: "co-trouble" }, t("checkout.sold_out"));
  return h("p", { class: "co-trouble" }, t("checkout.only_left", left), " ", button(t("checkout.take", left), { class: "button small" }, () => choose(left)));
}
