// A product's pictures: one large, the others to choose from.

import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { picture } from "../picture.mjs";

/** The names of the option that says what colour a variant has. */
const COLOUR = /^(colou?r|색상|색)$/i;

/** @returns {{node: Element, show: (variant: object) => void}} `show` brings up what a variant looks like */
export function gallery(product) {
  const colourAt = product.options.findIndex((name) => COLOUR.test(name));
  let colour;
  const draw = (one, more) => picture({ url: one?.url, title: product.title, category: product.category.handle, id: product.id, colour, ...more });
  const shown = product.pictures.filter((one) => isShown(one, draw(one)));
  const large = h("div", { class: "large" });
  const buttons = shown.length < 2 ? [] : shown.map((one, index) => small(one, index));
  const node = h("div", { class: "gallery" }, large, buttons.length > 0 && h("ul", { class: "thumbs" }, buttons.map((button) => h("li", {}, button))));
  bring(shown[0]);
  return {
    node,
    show: (variant) => {
      const before = colour;
      colour = variant?.options[colourAt];
      const own = shown.find((one) => one.variant_id === variant?.id);
      if (own) bring(own);
      else if (shown.length === 0 && colour !== before) bring();
    },
  };

  function bring(one) {
    put(large, draw(one, { eager: true, named: one?.alt || true }));
    for (const [index, button] of buttons.entries()) button.setAttribute("aria-pressed", String(shown[index] === one));
  }

  function small(one, index) {
    return h("button", { type: "button", "aria-label": t("catalogue.picture_of", index + 1, shown.length), onclick: () => bring(one) }, draw(one));
  }
}

/** Whether the picture itself is shown: from a host that the shop shows none of, all would be the same drawing. */
function isShown({ url }, drawn) {
  try {
    return drawn.querySelector("img")?.src === new URL(url, location.origin).href;
  } catch {
    return false;
  }
}
