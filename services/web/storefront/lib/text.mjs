// What the shop says, in the language at hand: one dictionary for each language, loaded when it is needed. Money, dates
// and numbers are written by Intl.

export const LANGUAGES = { en: "English", ko: "한국어" };

let language = document.documentElement.lang in LANGUAGES ? document.documentElement.lang : "en";
let dictionary = {};
const formats = new Map();

/** Loads the dictionary of the page's language; once, before anything is shown. */
export async function loadTexts() {
  ({ texts: dictionary } = await import(`../texts/${language}.mjs`));
  document.documentElement.lang = language;
}

/** Changes the language; the caller shows the page anew. */
export async function setLanguage(chosen) {
  language = chosen;
  formats.clear();
  await loadTexts();
  try {
    localStorage.setItem("trestle.language", chosen);
  } catch {
    // Storage is switched off: the choice lives as long as the page.
  }
}

export function currentLanguage() {
  return language;
}

/**
 * The text with this name, `section.name`. A text with values is a function in the dictionary.
 * @throws when there is none: a name that is misspelt must not reach a reader
 */
export function t(name, ...values) {
  const text = name.split(".").reduce((at, part) => at?.[part], dictionary);
  if (text === undefined) throw new Error(`no text ${name} in ${language}`);
  return typeof text === "function" ? text(...values) : text;
}

/** Whether there is a text with this name: for codes that come from the API. */
export function hasText(name) {
  return name.split(".").reduce((at, part) => at?.[part], dictionary) !== undefined;
}

function format(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

/** Money as the API writes it: `{amount, currency}` in minor units. */
export function money({ amount, currency }) {
  const number = format(`money ${currency}`, () => new Intl.NumberFormat(language, { style: "currency", currency }));
  return number.format(amount / 10 ** number.resolvedOptions().maximumFractionDigits);
}

/** How many minor units of its currency are one: 100 for USD, 1 for KRW. */
export function minorUnits(currency) {
  const number = format(`money ${currency}`, () => new Intl.NumberFormat(language, { style: "currency", currency }));
  return 10 ** number.resolvedOptions().maximumFractionDigits;
}

export function number(value, options = {}) {
  return format(`number ${JSON.stringify(options)}`, () => new Intl.NumberFormat(language, options)).format(value);
}

/** A day, from the API's time. */
export function day(time) {
  return whole(format("day", () => new Intl.DateTimeFormat(language, { dateStyle: "long" })).format(new Date(time)));
}

export function dayAndTime(time) {
  const times = format("time", () => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }));
  return whole(times.format(new Date(time)));
}

/** A date is not broken after its year or month: 2026. 11. 21. */
function whole(date) {
  return date.replace(/(\d\.) (?=\d)/g, "$1\u00a0");
}
