// The pictures of a product: their addresses, in their order.

import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { field } from "../form.mjs";

const MOST = 50;

/** A control of edit.mjs for all pictures together. */
export function picturesControl(subject) {
  const list = h("ol", { class: "admin-pictures" });
  const add = h("button", { type: "button", class: "button small" }, t("admin.pictures.add"));
  const none = h("p", { class: "soft" }, t("admin.pictures.none"));
  let rows = [];
  const show = () => {
    put(list, rows.map(({ node }) => node));
    none.hidden = rows.length > 0;
    add.hidden = rows.length >= MOST;
    rows.forEach((row, i) => row.place(i, rows.length));
  };
  const makeRow = (picture) => {
    const row = pictureRow(picture, subject.body);
    row.up.addEventListener("click", () => {
      const at = rows.indexOf(row);
      [rows[at - 1], rows[at]] = [rows[at], rows[at - 1]];
      show();
      (row.up.disabled ? row.url : row.up).focus();
    });
    row.remove.addEventListener("click", () => {
      rows = rows.filter((other) => other !== row);
      show();
      add.focus();
    });
    return row;
  };
  add.addEventListener("click", () => {
    rows.push(makeRow({ url: "", alt: "", variant_id: null }));
    show();
    rows.at(-1).url.focus();
  });
  return {
    name: "pictures",
    label: t("admin.pictures.title"),
    node: h("fieldset", { class: "admin-options" }, h("legend", {}, t("admin.pictures.title")), h("p", { class: "soft" }, t("admin.pictures.hint")), none, list, h("div", {}, add)),
    get: () => rows.map(({ get }) => get()),
    set: (pictures) => {
      rows = pictures.map(makeRow);
      show();
    },
    show: (pictures) => pictures.map(({ url }) => url).join(", ") || t("admin.pictures.none"),
  };
}

function pictureRow({ url, alt, variant_id: shows }, { variants }) {
  const choices = [["", t("admin.pictures.all")], ...variants.map(({ id, options, sku }) => [String(id), options.join(" / ") || sku || String(id)])];
  const address = field("url", t("admin.pictures.url"), { type: "url", value: url, required: true, maxlength: 1000 });
  const words = field("alt", t("admin.pictures.alt"), { value: alt, maxlength: 512 });
  const variant = field("variant", t("admin.pictures.variant"), { choices, value: String(shows ?? ""), required: true });
  const select = variant.querySelector("select");
  select.required = false;
  const up = h("button", { type: "button", class: "button small" });
  const remove = h("button", { type: "button", class: "button small danger" });
  const input = (node) => node.querySelector("input");
  return {
    node: h("li", {}, address, h("div", { class: "admin-pair" }, words, variant), h("div", { class: "actions" }, up, remove)),
    url: input(address),
    up,
    remove,
    // The API's messages name a picture by its place.
    place: (i) => {
      input(address).name = `pictures[${i}].url`;
      input(words).name = `pictures[${i}].alt`;
      select.name = `pictures[${i}].variant_id`;
      put(up, t("admin.pictures.up"), h("span", { class: "unseen" }, ` ${i + 1}`));
      put(remove, t("admin.pictures.remove"), h("span", { class: "unseen" }, ` ${i + 1}`));
      up.disabled = i === 0;
    },
    get: () => ({ url: input(address).value.trim(), alt: input(words).value.trim(), variant_id: select.value ? Number(select.value) : null }),
  };
}
