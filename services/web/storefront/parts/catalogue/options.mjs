// The choice of a variant: one group of radio buttons for each option. A value that leads to nothing with what else is
// chosen can be chosen all the same: the other options then follow.

import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { optionName } from "./names.mjs";

/** The variant to begin with: the one asked for, else the first that can be bought. */
export function firstVariant({ variants }, wanted) {
  return variants.find(({ id }) => String(id) === wanted) ?? variants.find(({ in_stock: inStock }) => inStock) ?? variants[0];
}

/**
 * The groups, for a product with more than one variant.
 * @param {object} product
 * @param {object} variant that is chosen
 * @param {(variant: object) => void} chosen called with another
 */
export function options(product, variant, chosen) {
  const { variants } = product;
  if (variants.length < 2) return [];
  // Variants without options can be told apart by their number only.
  const named = product.options.length > 0 && new Set(variants.map((one) => one.options.join("\n"))).size === variants.length;
  const names = named ? product.options : [t("catalogue.variant")];
  const valuesOf = (one) => (named ? one.options : [one.sku ?? String(one.id)]);
  const groups = names.map((name, at) => group(name, at));
  mark();
  return groups.map(({ node }) => node);

  function group(name, at) {
    const legend = h("span", { class: "chosen" });
    const values = [...new Set(variants.map((one) => valuesOf(one)[at]))];
    const inputs = values.map((value) => {
      const input = h("input", { type: "radio", name: `option-${at}`, value, checked: valuesOf(variant)[at] === value });
      input.addEventListener("change", () => choose(at, value));
      const note = h("span", { class: "unseen" });
      return { value, input, note, node: h("label", {}, input, h("span", {}, value), note) };
    });
    const node = h("fieldset", { class: "option" }, h("legend", {}, optionName(name), ": ", legend), h("div", { class: "values" }, inputs.map((one) => one.node)));
    return { at, legend, inputs, node };
  }

  function choose(at, value) {
    const likeness = (one) => valuesOf(one).filter((own, i) => own === valuesOf(variant)[i]).length + (one.in_stock ? 0.5 : 0);
    const possible = variants.filter((one) => valuesOf(one)[at] === value);
    variant = possible.reduce((best, one) => (likeness(one) > likeness(best) ? one : best));
    mark();
    chosen(variant);
  }

  /** Says which values are chosen, sold out, or not made with the others. */
  function mark() {
    for (const { at, legend, inputs } of groups) {
      put(legend, valuesOf(variant)[at]);
      for (const { value, input, note, node } of inputs) {
        const wanted = valuesOf(variant).with(at, value);
        const one = variants.find((other) => valuesOf(other).every((own, i) => own === wanted[i]));
        input.checked = valuesOf(variant)[at] === value;
        node.classList.toggle("gone", one !== undefined && !one.in_stock);
        node.classList.toggle("other", one === undefined);
        note.textContent = one === undefined ? t("catalogue.other_combination") : one.in_stock ? "" : t("catalogue.sold_out");
      }
    }
  }
}
