// The variants of a product: what each costs, whether it is sold, how many there are; and new ones.

import { get } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { money, t } from "../../lib/text.mjs";
import { button, field, form } from "../form.mjs";
import { notice, say } from "../states.mjs";
import { control, editForm } from "./edit.mjs";
import { fold } from "./frame.mjs";
import { stockPanel } from "./stock.mjs";
import { enteredMoney, inWords, moneyField, moneyOf, saidOf } from "./words.mjs";

const SKU_CHARS = 100;
const VALUE_CHARS = 100;
/** The stock of so many variants is read at once; that of the others when it is opened. */
const STOCKS = 12;

export function variantsSection(subject, currency, signal) {
  const list = h("ul", { class: "admin-variants" });
  const none = h("p", { class: "soft" }, t("admin.variants.none"));
  const adder = h("div");
  const shown = new Map();
  const show = () => {
    const { variants } = subject.body;
    for (const variant of variants) {
      if (!shown.has(variant.id)) {
        const row = variantRow(subject, variant.id, signal);
        shown.set(variant.id, row);
        if (shown.size <= STOCKS) row.readStock();
      }
      shown.get(variant.id).refresh();
    }
    const nodes = variants.map(({ id }) => shown.get(id).node);
    // What is open stays open: only when there is a new one the list is put anew.
    if (list.children.length !== nodes.length) put(list, nodes);
    none.hidden = nodes.length > 0;
  };
  let names = null;
  const showAdder = () => {
    const now = subject.body.options.join("\n");
    if (now === names) return;
    names = now;
    put(adder, fold(t("admin.variants.add"), { open: subject.body.variants.length === 0 }, newVariant(subject, currency)));
  };
  subject.addEventListener("change", () => {
    show();
    showAdder();
  });
  show();
  showAdder();
  return [none, list, adder];
}

function valueFields(names, values = []) {
  return names.map((name, i) => field(`options[${i}]`, name, { value: values[i] ?? "", required: true, maxlength: VALUE_CHARS }));
}

function newVariant(subject, currency) {
  const { id, options } = subject.body;
  return form(
    { class: "admin-form" },
    async (values, element) => {
      const body = {
        price: moneyOf(values["price.amount"], currency, "price.amount"),
        sku: values.sku.trim(),
        options: options.map((_, i) => values[`options[${i}]`].trim()),
        on_hand: Number(values.on_hand),
      };
      try {
        await subject.write("POST", `/admin/products/${id}/variants`, body);
      } catch (error) {
        if (error.status !== 412) throw inWords(error);
        // A variant is added to whatever the product is now, as long as the options are the same: else the form is new.
        await subject.read();
        throw inWords(error);
      }
      element.reset();
      element.elements.on_hand.value = "0";
      element.elements[0].focus();
      say(t("admin.variants.added"));
    },
    h("div", { class: "admin-triple" }, valueFields(options)),
    h(
      "div",
      { class: "admin-triple" },
      moneyField("price.amount", t("admin.variants.price"), currency, { required: true }),
      field("sku", t("admin.variants.sku"), { maxlength: SKU_CHARS }),
      field("on_hand", t("admin.variants.on_hand"), { type: "number", min: 0, max: 1_000_000_000, step: 1, value: "0", required: true }),
    ),
    h("button", { type: "submit", class: "button primary" }, t("admin.variants.add_now")),
  );
}

/** One variant: its line, and what opens below it. */
function variantRow(subject, id, signal) {
  const find = () => subject.body.variants.find((variant) => variant.id === id);
  const line = h("div", { class: "line" });
  const trouble = h("div");
  const panel = h("div", { class: "panel" });
  const left = h("span", {});
  const showLeft = (count) => {
    put(left, t("admin.variants.left", count));
    left.className = count > 0 ? "soft" : "badge bad";
  };
  const name = () => find().options.join(" / ") || find().sku || t("admin.variants.only");
  // The shop would refuse: a published product has something to buy.
  const isLast = () => subject.body.published && subject.body.variants.every((variant) => variant.withdrawn !== (variant.id === id));
  const opener = (text, make) => {
    const opens = h("button", { type: "button", class: "button small", "aria-expanded": "false" }, text, h("span", { class: "unseen" }, ` ${name()}`));
    opens.addEventListener("click", () => {
      const open = opens.getAttribute("aria-expanded") !== "true";
      for (const other of [edit, stock]) other.setAttribute("aria-expanded", String(open && other === opens));
      put(panel, open && make());
    });
    return opens;
  };
  const edit = opener(t("admin.variants.edit"), () => variantForm(subject, find));
  const stock = opener(t("admin.variants.stock"), () => stockPanel(id, name(), signal, showLeft));
  const sell = button("", { class: "button small" }, async () => {
    put(trouble);
    if (isLast()) {
      put(trouble, notice("warn", h("p", {}, t("admin.fields.withdrawn"))));
      return;
    }
    await subject.write("PATCH", `/admin/variants/${id}`, { withdrawn: !find().withdrawn });
  }, async (error) => {
    if (error.status === 412) await subject.read();
    put(trouble, notice("warn", h("p", {}, saidOf(error))));
  });
  const refresh = () => {
    const { sku, price, withdrawn } = find();
    put(
      line,
      h("h3", {}, name()),
      h("span", { class: "mono soft" }, sku ?? ""),
      h("span", { class: "price" }, money(price)),
      h("span", { class: "badges" }, left, withdrawn && h("span", { class: "badge warn" }, t("admin.variants.withdrawn"))),
    );
    put(sell, t(withdrawn ? "admin.variants.put_back" : "admin.variants.withdraw"), h("span", { class: "unseen" }, ` ${name()}`));
  };
  // An extra: whoever opens the stock hears what is the matter when it cannot be read.
  const readStock = () =>
    get(`/admin/variants/${id}/stock?limit=1`, { signal }).then(({ on_hand: count }) => showLeft(count), () => undefined);
  return { node: h("li", {}, line, h("div", { class: "actions" }, stock, edit, sell), trouble, panel), refresh, readStock };
}

function variantForm(subject, find) {
  const { id, price } = find();
  const names = subject.body.options;
  const { currency } = price;
  const priceControl = control("price", t("admin.variants.price"), moneyField("price.amount", t("admin.variants.price"), currency, { required: true }), {
    get: (text) => moneyOf(text, currency, "price.amount"),
    set: enteredMoney,
    show: money,
  });
  const sku = control("sku", t("admin.variants.sku"), field("sku", t("admin.variants.sku"), { maxlength: SKU_CHARS }), { get: (text) => text.trim() });
  const fields = valueFields(names);
  const inputs = fields.map((node) => node.querySelector("input"));
  const values = {
    name: "options",
    label: t("admin.product.options"),
    node: h("div", { class: "admin-triple" }, fields),
    get: () => inputs.map(({ value }) => value.trim()),
    set: (texts) => inputs.forEach((input, i) => (input.value = texts[i] ?? "")),
    show: (texts) => texts.join(" / ") || "–",
  };
  return editForm({
    subject,
    pick: () => ({ price: find().price, sku: find().sku ?? "", options: find().options }),
    controls: names.length > 0 ? [values, priceControl, sku] : [priceControl, sku],
    save: (changes) => subject.write("PATCH", `/admin/variants/${id}`, changes),
    layout: [names.length > 0 && values.node, h("div", { class: "admin-triple" }, priceControl.node, sku.node)].filter(Boolean),
    submit: h("button", { type: "submit", class: "button primary" }, t("forms.save")),
    attributes: { class: "admin-form" },
  });
}
