// The filters of a list: a column beside it, folded up above it on a phone. What is set applies at once.

import { h, id, link } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { field } from "../form.mjs";
import { icon } from "../icon.mjs";
import { categoryName } from "./names.mjs";
import { filtersSet, inOrder, price } from "./query.mjs";

/** From this width on the filters are a column and always open; styles/catalogue.css knows it too. */
const WIDE = "(min-width: 60rem)";

/**
 * @param {object} of
 * @param {Wish} of.wish what is set
 * @param {{category?: string}} of.fixed what the page itself stands for
 * @param {Array} of.categories to choose from where the page stands for none
 * @param {string} of.currency
 * @param {(wish: Wish) => string} of.clearTo the address without filters
 * @param {(set: object) => void} of.changed called with what is set now
 * @param {AbortSignal} of.signal
 */
export function filters({ wish, fixed, categories, currency, clearTo, changed, signal }) {
  const category = fixed.category === undefined && choice("category", [["", t("catalogue.any_category")], ...categories.map((one) => [one.handle, categoryName(one)])], wish.category);
  const rating = choice("rating", [["", t("catalogue.any_rating")], ...["4", "3", "2", "1"].map((least) => [least, t("catalogue.rating_from", Number(least))])], wish.rating);
  const [min, max] = [amount("min", wish.min), amount("max", wish.max)];
  const stock = h("input", { type: "checkbox", name: "stock", value: "1", checked: wish.stock });
  const clear = link("", { class: "clear" }, t("catalogue.clear"));
  const set = h("span", { class: "set" });
  const form = h(
    "form",
    { novalidate: true },
    category,
    h("fieldset", { class: "from-to" }, h("legend", {}, t("catalogue.price", currency)), h("div", {}, min, max)),
    rating,
    h("label", { class: "tick" }, stock, h("span", {}, t("catalogue.only_in_stock"))),
    clear,
  );
  const now = () => {
    const values = Object.fromEntries(new FormData(form));
    return inOrder({
      ...(category ? { category: values.category } : {}),
      min: price(values.min),
      max: price(values.max),
      stock: stock.checked,
      rating: values.rating,
    });
  };
  const show = (current) => {
    const count = filtersSet(current, fixed);
    clear.href = clearTo(current);
    clear.hidden = count === 0;
    set.textContent = count > 0 ? t("catalogue.filters_set", count) : "";
  };
  const apply = (event) => {
    event.preventDefault();
    const chosen = now();
    form.elements.min.value = chosen.min;
    form.elements.max.value = chosen.max;
    changed(chosen);
  };
  form.addEventListener("change", apply);
  form.addEventListener("submit", apply);
  show(wish);

  const node = h("details", { class: "filters" }, h("summary", {}, icon("filter"), h("span", {}, t("catalogue.filters")), set), form);
  const wide = matchMedia(WIDE);
  node.open = wide.matches;
  wide.addEventListener("change", () => (node.open = wide.matches), { signal });
  return { node, show };
}

function choice(name, choices, value) {
  const input = id(name);
  const options = choices.map(([key, text]) => h("option", { value: key }, text));
  return h("div", { class: "field" }, h("label", { for: input }, t(`catalogue.${name}`)), h("select", { id: input, name, value }, options));
}

function amount(name, value) {
  // The field's "optional" would stand twice in one line: here the label is enough.
  const element = field(name, t(`catalogue.${name}`), { value, type: "number", inputmode: "decimal", min: 0, step: "any", autocomplete: "off" });
  element.querySelector(".optional")?.remove();
  return element;
}
