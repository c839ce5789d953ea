// A new coupon, and what can be changed of one: its time, its limit, whether it can be used.

import { send } from "../../lib/api.mjs";
import { h } from "../../lib/dom.mjs";
import { go } from "../../lib/router.mjs";
import { dayAndTime, money, number, t } from "../../lib/text.mjs";
import { field, form } from "../form.mjs";
import { say } from "../states.mjs";
import { control, editForm } from "./edit.mjs";
import { enteredTime, moneyField, moneyOf, timeOf, wording } from "./words.mjs";

const MOST_USES = 1_000_000_000;

/** What a coupon takes off: 10% or $5.00. */
export function offText({ percent, amount }) {
  return amount ? money(amount) : number(percent / 100, { style: "percent" });
}

export function newCoupon(currency) {
  const kind = field("kind", t("admin.coupons.kind"), { choices: [["percent", t("admin.coupons.percent")], ["amount", t("admin.coupons.amount")]], value: "percent", required: true });
  const percent = field("off.percent", t("admin.coupons.percent_off"), { type: "number", min: 1, max: 100, step: 1, required: true });
  const amount = moneyField("off.amount", t("admin.coupons.amount_off"), currency, { required: true });
  const choose = () => {
    const byPercent = kind.querySelector("select").value === "percent";
    for (const [node, on] of [[percent, byPercent], [amount, !byPercent]]) {
      node.hidden = !on;
      node.querySelector("input").disabled = !on;
    }
  };
  kind.addEventListener("change", choose);
  choose();
  return form(
    { class: "admin-form" },
    async (values) => {
      const made = await wording(() => send("POST", "/admin/coupons", bodyOf(values, currency)));
      say(t("admin.coupons.made", made.code));
      await go(`/admin/coupons?code=${made.code}`);
    },
    h(
      "div",
      { class: "admin-triple" },
      field("code", t("admin.coupons.code"), { required: true, minlength: 3, maxlength: 32, pattern: "[A-Za-z0-9\\-]{3,32}", autocapitalize: "characters", autocomplete: "off", hint: t("admin.coupons.code_hint") }),
      kind,
      percent,
      amount,
    ),
    h(
      "div",
      { class: "admin-triple" },
      moneyField("minimum.amount", t("admin.coupons.minimum"), currency, { hint: t("admin.coupons.minimum_hint") }),
      usesField("max_uses"),
      usesField("max_uses_per_customer"),
    ),
    h("div", { class: "admin-pair" }, timeField("valid_from"), timeField("valid_until")),
    h("button", { type: "submit", class: "button primary" }, t("admin.coupons.make")),
  );
}

function usesField(name) {
  return field(name, t(`admin.coupons.${name}`), { type: "number", min: 1, max: MOST_USES, step: 1, hint: t("admin.coupons.no_limit_hint") });
}

function timeField(name) {
  return field(name, t(`admin.coupons.${name}`), { type: "datetime-local", hint: t(`admin.coupons.${name}_hint`) });
}

function bodyOf(values, currency) {
  const off = values.kind === "percent" ? { percent: Number(values["off.percent"]) } : { amount: moneyOf(values["off.amount"], currency, "off.amount") };
  const all = {
    code: values.code.trim().toUpperCase(),
    off,
    minimum: values["minimum.amount"] ? moneyOf(values["minimum.amount"], currency, "minimum.amount") : null,
    max_uses: usesOf(values.max_uses),
    max_uses_per_customer: usesOf(values.max_uses_per_customer),
    valid_from: timeOf(values.valid_from),
    valid_until: timeOf(values.valid_until),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

function usesOf(text) {
  return text === "" ? null : Number(text);
}

export function couponForm(subject) {
  const time = (name) =>
    control(name, t(`admin.coupons.${name}`), timeField(name), { get: timeOf, set: enteredTime, show: (at) => (at ? dayAndTime(at) : t("admin.coupons.open_end")) });
  const uses = control("max_uses", t("admin.coupons.max_uses"), usesField("max_uses"), {
    get: usesOf,
    set: (value) => String(value ?? ""),
    show: (value) => (value === null ? t("admin.coupons.no_limit") : number(value)),
  });
  const choices = [["true", t("admin.coupons.active")], ["false", t("admin.coupons.inactive")]];
  const active = control("active", t("admin.coupons.usable"), field("active", t("admin.coupons.usable"), { choices, required: true }), {
    get: (value) => value === "true",
    set: String,
    show: (value) => t(value ? "admin.coupons.active" : "admin.coupons.inactive"),
  });
  const [from, until] = [time("valid_from"), time("valid_until")];
  return editForm({
    subject,
    // To the minute, as a time is entered: what is not touched must not seem changed.
    pick: (coupon) => ({
      valid_from: timeOf(enteredTime(coupon.valid_from)),
      valid_until: timeOf(enteredTime(coupon.valid_until)),
      max_uses: coupon.max_uses ?? null,
      active: coupon.active,
    }),
    controls: [active, uses, from, until],
    save: (changes) => subject.write("PATCH", `/admin/coupons/${subject.body.code}`, changes),
    layout: [h("div", { class: "admin-pair" }, active.node, uses.node), h("div", { class: "admin-pair" }, from.node, until.node)],
    submit: h("button", { type: "submit", class: "button primary" }, t("forms.save")),
    attributes: { class: "admin-form" },
  });
}
