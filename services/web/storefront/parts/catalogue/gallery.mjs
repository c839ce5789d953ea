// A product's pictures: one large, the others to choose from.

import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { picture } from "../picture.mjs";

/** @returns {{node: Element, show: (variant: object) => void}} `show` brings up the picture of a variant */
export function gallery(product) {
  const draw = (one, eager) => picture({ url: one?.url, title: one?.alt || product.title, category: product.category.handle, id: product.id, eager });
  const shown = product.pictures.filter((one) => isShown(one, draw(one)));
  const large = h("div", { class: "large" });
  const buttons = shown.length < 2 ? [] : shown.map((one, index) => small(one, index));
  const node = h("div", { class: "gallery" }, large, buttons.length > 0 && h("ul", { class: "thumbs" }, buttons.map((button) => h("li", {}, button))));
  bring(shown[0]);
  return {
    node,
    show: (variant) => {
      const own = shown.find((one) => one.variant_id === variant?.id);
      if (own) bring(own);
    },
  };

  function bring(one) {
    put(large, draw(one, true));
    for (const [index, button] of buttons.entries()) button.setAttribute("aria-pressed", String(shown[index] === one));
  }

  function small(one, index) {
    const drawn = draw(one);
    drawn.setAttribute("aria-hidden", "true");
    return h("button", { type: "button", "aria-label": t("catalogue.picture_of", index + 1, shown.length), onclick: () => bring(one) }, drawn);
  }
}

/** Whether the picture itself is shown: from a host that the shop shows none of, all would be the same drawing. */
function isShown({ url }, drawn) {
  const image = drawn.matches("img") ? drawn : drawn.querySelector("img");
  return image?.src === new URL(url, location.href).href;
}
