// An address: the fields to enter one, what was entered as the API takes it, and one as it is read.

import { h } from "../lib/dom.mjs";
import { currentLanguage, t } from "../lib/text.mjs";
import { field } from "./form.mjs";

const OPTIONAL = ["line2", "region", "phone"];
/** Where the shop delivers to, most of its readers first; the API takes every ISO 3166 code. */
const COUNTRIES = ["US", "KR", "GB", "DE", "FR", "JP", "CA", "AU", "IE", "IT", "ES", "NL", "SE", "CH", "AT", "IN", "BR", "MX", "SG", "NZ"];

/** The fields, with `values` of an address that is edited. */
export function addressFields(values = {}) {
  const names = new Intl.DisplayNames(currentLanguage(), { type: "region" });
  const known = values.country && !COUNTRIES.includes(values.country) ? [values.country, ...COUNTRIES] : COUNTRIES;
  const choices = known.map((code) => [code, names.of(code)]);
  const text = (name, autocomplete, required, more = {}) =>
    field(name, t(`address.${name}`), { value: values[name] ?? "", autocomplete, required, maxlength: 100, ...more });
  return [
    text("name", "name", true),
    text("line1", "address-line1", true, { maxlength: 200 }),
    text("line2", "address-line2", false, { maxlength: 200 }),
    h("div", { class: "pair" }, text("postal_code", "postal-code", true, { maxlength: 20 }), text("city", "address-level2", true)),
    text("region", "address-level1", false),
    field("country", t("address.country"), { choices, value: values.country ?? (currentLanguage() === "ko" ? "KR" : "US"), autocomplete: "country", required: true }),
    text("phone", "tel", false, { type: "tel", maxlength: 32 }),
  ];
}

/** What was entered, as the API takes it. */
export function addressOf(values) {
  const { name, line1, line2, city, region, postal_code, country, phone } = values;
  const all = { name, line1, line2, city, region, postal_code, country, phone };
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => !(OPTIONAL.includes(key) && !value)));
}

/** An address as it is read. */
export function addressText(address) {
  const country = new Intl.DisplayNames(currentLanguage(), { type: "region" }).of(address.country);
  const town = [address.postal_code, address.city, address.region].filter(Boolean).join(" ");
  const lines = [address.name, address.line1, address.line2, town, country, address.phone].filter(Boolean);
  return h("address", {}, lines.map((line) => h("span", {}, line)));
}
