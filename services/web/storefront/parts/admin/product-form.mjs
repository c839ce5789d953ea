// What is said of a product: title, vendor, category, tags, description, the names of its options, its pictures.

import { h } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { field } from "../form.mjs";
import { control, editForm } from "./edit.mjs";
import { categoryChoices, optionFields } from "./new-product.mjs";
import { picturesControl } from "./pictures.mjs";

const OPTIONS = 3;

export function productForm(subject, categories) {
  const product = subject.body;
  const choices = categoryChoices(categories, product.category);
  const names = new Map(choices);
  const plain = (name, label, attributes) => control(name, label, field(name, label, attributes));
  const title = plain("title", t("admin.product.title_field"), { required: true, maxlength: 255 });
  const vendor = plain("vendor", t("admin.product.vendor"), { maxlength: 255 });
  const tags = plain("tags", t("admin.product.tags"), { maxlength: 1000, hint: t("admin.product.tags_hint") });
  const category = control("category", t("admin.product.category"), field("category", t("admin.product.category"), { choices, required: true }), {
    show: (handle) => names.get(handle) ?? handle,
  });
  const description = plain("description", t("admin.product.description"), { rows: 8, maxlength: 40_000, hint: t("admin.product.description_hint") });
  const options = optionsControl(subject);
  const pictures = picturesControl(subject);
  const controls = [title, vendor, category, tags, description, options, pictures];
  return editForm({
    subject,
    pick: (body) => ({ ...body, category: body.category.handle, pictures: body.pictures.map(({ url, alt, variant_id: shows }) => ({ url, alt, variant_id: shows ?? null })) }),
    controls,
    save: (changes) => subject.write("PATCH", `/admin/products/${product.id}`, changes),
    layout: [
      title.node,
      h("div", { class: "admin-pair" }, category.node, vendor.node),
      tags.node,
      description.node,
      options.node,
      pictures.node,
    ],
    submit: h("button", { type: "submit", class: "button primary" }, t("forms.save")),
    attributes: { class: "admin-form" },
  });
}

/** The names of the options: as many as there are, once the product has variants. */
function optionsControl(subject) {
  const node = optionFields(OPTIONS);
  const fields = Array.from(node.querySelectorAll(".field"));
  const inputs = fields.map((each) => each.querySelector("input"));
  const isFixed = () => subject.body.variants.length > 0;
  const count = () => (isFixed() ? subject.body.options.length : OPTIONS);
  const limit = () => {
    node.hidden = count() === 0;
    fields.forEach((each, i) => {
      each.hidden = i >= count();
      inputs[i].required = isFixed() && !each.hidden;
      each.querySelector(".optional").hidden = isFixed();
    });
  };
  subject.addEventListener("change", limit);
  limit();
  return {
    name: "options",
    label: t("admin.product.options"),
    node,
    get: () => inputs.slice(0, count()).map(({ value }) => value.trim()).filter((name) => isFixed() || name !== ""),
    set: (names) => inputs.forEach((input, i) => (input.value = names[i] ?? "")),
    show: (names) => names.join(", ") || "–",
  };
}
