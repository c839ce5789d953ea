// New products and new categories. A product is made without variants and unpublished: its page is where it goes on.

import { send } from "../../lib/api.mjs";
import { h } from "../../lib/dom.mjs";
import { go } from "../../lib/router.mjs";
import { t } from "../../lib/text.mjs";
import { field, form } from "../form.mjs";
import { say } from "../states.mjs";
import { wording } from "./words.mjs";

/** The form, and how it learns of a category that was just made: lists show it only after some seconds. */
export function newProduct(categories) {
  const category = field("category", t("admin.product.category"), { choices: categoryChoices(categories), required: true });
  const node = form(
    { class: "admin-form" },
    async (values) => {
      const body = {
        title: values.title.trim(),
        category: values.category,
        vendor: values.vendor.trim(),
        tags: values.tags.trim(),
        description: values.description,
        options: optionNames(values),
        ...(values.handle.trim() && { handle: values.handle.trim() }),
      };
      const made = await wording(() => send("POST", "/admin/products", body));
      say(t("admin.products.made"));
      await go(`/admin/products/${made.id}`);
    },
    field("title", t("admin.product.title_field"), { required: true, maxlength: 255 }),
    h("div", { class: "admin-pair" }, category, field("vendor", t("admin.product.vendor"), { maxlength: 255 })),
    h(
      "div",
      { class: "admin-pair" },
      field("tags", t("admin.product.tags"), { maxlength: 1000, hint: t("admin.product.tags_hint") }),
      field("handle", t("admin.product.handle"), { maxlength: 191, autocomplete: "off", hint: t("admin.products.handle_hint") }),
    ),
    field("description", t("admin.product.description"), { rows: 4, maxlength: 40_000, hint: t("admin.product.description_hint") }),
    optionFields(3),
    h("button", { type: "submit", class: "button primary" }, t("admin.products.make")),
  );
  const addCategory = ({ handle, name }) => {
    const select = category.querySelector("select");
    select.append(h("option", { value: handle }, name));
    select.value = handle;
  };
  return { node, addCategory };
}

export function newCategory(made) {
  return form(
    { class: "admin-form" },
    async ({ name }, element) => {
      const category = await wording(() => send("POST", "/admin/categories", { name: name.trim() }));
      element.reset();
      made(category);
      say(t("admin.products.category_made", category.name));
    },
    field("name", t("admin.products.category_name"), { required: true, maxlength: 191, hint: t("admin.products.category_hint") }),
    h("button", { type: "submit", class: "button primary" }, t("admin.products.category_make")),
  );
}

/** Choices of a select; `own` is a category that the list may not have yet. */
export function categoryChoices(categories, own) {
  const all = own && !categories.some(({ handle }) => handle === own.handle) ? [...categories, own] : categories;
  return all.map(({ handle, name }) => [handle, name]);
}

/** Fields for the names of the options, as the API names them in its messages. */
export function optionFields(count) {
  const fields = Array.from({ length: count }, (_, i) => field(`options[${i}]`, t("admin.product.option", i + 1), { maxlength: 100 }));
  return h("fieldset", { class: "admin-options" }, h("legend", {}, t("admin.product.options")), h("p", { class: "soft" }, t("admin.product.options_hint")), h("div", { class: "admin-triple" }, fields));
}

function optionNames(values) {
  return [0, 1, 2].map((i) => values[`options[${i}]`].trim()).filter((name) => name !== "");
}
