// What the backoffice reads and writes: amounts and times as they are entered, states as badges, the API's problems in
// the reader's language.

import { h } from "../../lib/dom.mjs";
import { Problem } from "../../lib/problem.mjs";
import { currentLanguage, hasText, minorUnits, t } from "../../lib/text.mjs";
import { field } from "../form.mjs";
import { sayProblem } from "../states.mjs";

const ORDER_KINDS = { pending: "warn", paid: "good", shipped: "", cancelled: "", failed: "bad" };

export function orderBadge(state) {
  return h("span", { class: `badge ${ORDER_KINDS[state]}` }, t(`admin.order_states.${state}`));
}

/** An order's or a customer's id, short enough for a table: its end, because those of one hour begin alike. */
export function shortId(id) {
  return `…${id.slice(-8)}`;
}

/** An e-mail address that is broken before its @, if anywhere. */
export function emailText(email) {
  const at = email.lastIndexOf("@");
  return [email.slice(0, at), h("wbr"), email.slice(at)];
}

/** A field for an amount of money, entered in whole units: 12.50. */
export function moneyField(name, label, currency, { amount, ...attributes } = {}) {
  const value = amount === undefined || amount === null ? "" : enteredMoney({ amount, currency });
  return field(name, t("admin.in_currency", label, currency), { value, inputmode: "decimal", autocomplete: "off", maxlength: 15, ...attributes });
}

/** An amount as it is entered. */
export function enteredMoney({ amount, currency }) {
  const units = minorUnits(currency);
  return (amount / units).toFixed(Math.round(Math.log10(units)));
}

/** What was entered as an amount, in minor units. @throws {Problem} at the field `name` */
export function moneyOf(text, currency, name) {
  const units = minorUnits(currency);
  const digits = Math.round(Math.log10(units));
  const shape = digits === 0 ? /^\d{1,12}$/ : new RegExp(`^\\d{1,10}([.,]\\d{1,${digits}})?$`);
  const entered = text.replace(/[\s_]/g, "");
  if (!shape.test(entered)) throw atField(name, t("admin.money_shape", enteredMoney({ amount: 1250 * units, currency })));
  return { amount: Math.round(Number(entered.replace(",", ".")) * units), currency };
}

/** A problem with one field, found here. */
export function atField(name, message) {
  return new Problem(422, { code: "validation_failed", detail: message, errors: [{ field: name, message }] });
}

/** A time of the API as `datetime-local` has it. */
export function enteredTime(time) {
  if (!time) return "";
  const at = new Date(time);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What was entered as a time; null when nothing was. */
export function timeOf(text) {
  return text ? new Date(text).toISOString() : null;
}

/** The same problem, in the reader's words where there are some for its code, or for the fields that it names. */
export function inWords(error) {
  if (!(error instanceof Problem)) return error;
  const own = hasText(`admin.problems.${error.code}`) ? t(`admin.problems.${error.code}`) : null;
  const errors = error.body.errors?.map(({ field: name, message }) => ({ field: name, message: own ?? fieldWords(name) ?? message }));
  const detail = own ?? (errors ? errors.map(({ message }) => message).join(" ") : error.message);
  // A form shows the words of a conflict, and a lost race is one.
  const status = error.status === 412 ? 409 : error.status;
  return new Problem(status, { ...error.body, detail, ...(errors && { errors }) }, error.retryAfter);
}

/** `pictures[2].url` is found as `pictures_url`. */
function fieldWords(name) {
  const key = `admin.fields.${name.replace(/\[\d+\]/g, "").replaceAll(".", "_")}`;
  return hasText(key) ? t(key) : null;
}

/** What is said of a problem outside a form. */
export function saidOf(error) {
  if (error.status === 412) return t("admin.conflict.state");
  if (error.status === 409 || error.status === 422) return inWords(error).message;
  return sayProblem(error).join(" ");
}

/** Calls `work`; what it throws is in words. */
export async function wording(work) {
  try {
    return await work();
  } catch (error) {
    throw inWords(error);
  }
}

/** A day of sales, which are counted in UTC. */
export function utcDay(date, options = { month: "short", day: "numeric" }) {
  return new Intl.DateTimeFormat(currentLanguage(), { ...options, timeZone: "UTC" }).format(new Date(date));
}

/** Money in a few characters, for an axis. */
export function roughMoney({ amount, currency }) {
  const value = amount / minorUnits(currency);
  const digits = value >= 10 && value < 1000 ? 0 : 1;
  const shape = { style: "currency", currency, notation: "compact", maximumFractionDigits: digits, minimumFractionDigits: 0 };
  return new Intl.NumberFormat(currentLanguage(), shape).format(value);
}
