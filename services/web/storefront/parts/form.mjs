// Forms: labelled fields, the API's messages beside them, and buttons that cannot be pressed twice.

import { h, id, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { t } from "../lib/text.mjs";
import { notice, sayProblem } from "./states.mjs";

/**
 * A labelled input. `name` is the API's name of the field: messages find it by that.
 * @param {string} name
 * @param {string} label
 * @param {object} [attributes] of the input; `hint` is a line below it, `choices` [[value, text]] makes it a select,
 *   `rows` a textarea
 */
export function field(name, label, { hint, choices, rows, ...attributes } = {}) {
  const input = id(name.replace(/\W/g, "-"));
  const about = `${input}-about`;
  const tag = choices ? "select" : rows ? "textarea" : "input";
  const options = choices?.map(([value, text]) => h("option", { value, selected: value === attributes.value }, text));
  const all = { id: input, name, rows, "aria-describedby": about, ...(tag === "input" ? { type: "text" } : {}), ...attributes };
  return h(
    "div",
    { class: "field" },
    h("label", { for: input }, label, attributes.required ? null : h("span", { class: "optional" }, t("forms.optional"))),
    h(tag, all, options),
    h("p", { class: "about", id: about, dataset: { hint: hint ?? "" } }, hint ?? ""),
  );
}

/**
 * A form whose `submit(values, form)` is called with what was entered; while it works the form cannot be sent again. What
 * it throws is said beside the fields that the problem names, or above the button.
 * @param {object} attributes of the form
 * @param {(values: Object<string, string>, form: HTMLFormElement) => Promise<void>} submit
 * @param {...Node} children fields, and a button of type submit
 */
export function form(attributes, submit, ...children) {
  const trouble = h("div", { class: "trouble" });
  const element = h("form", { novalidate: true, ...attributes }, children.slice(0, -1), trouble, children.at(-1));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (element.getAttribute("aria-busy") === "true") return;
    clear(element, trouble);
    if (!complete(element)) return;
    busy(element, true);
    try {
      await submit(Object.fromEntries(new FormData(element)), element);
    } catch (error) {
      tell(element, trouble, error);
    } finally {
      busy(element, false);
    }
  });
  return element;
}

/** A button that works once at a time: `work` is called when it is pressed. Its trouble is thrown to `failed`. */
export function button(text, attributes, work, failed) {
  const element = h("button", { type: "button", class: "button", ...attributes }, text);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-disabled") === "true") return;
    element.setAttribute("aria-disabled", "true");
    try {
      await work(element);
    } catch (error) {
      if (!failed) throw error;
      failed(error);
    } finally {
      element.removeAttribute("aria-disabled");
    }
  });
  return element;
}

function busy(element, on) {
  element.setAttribute("aria-busy", String(on));
  for (const submit of element.querySelectorAll("button[type=submit]")) submit.setAttribute("aria-disabled", String(on));
}

function clear(element, trouble) {
  put(trouble);
  for (const input of element.elements) mark(input, "");
}

function mark(input, message) {
  const about = document.getElementById(input.getAttribute?.("aria-describedby"));
  if (!about) return;
  about.textContent = message || about.dataset.hint;
  about.classList.toggle("bad", message !== "");
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** What the browser itself can tell is wrong, in our words and places. */
function complete(element) {
  const wrong = Array.from(element.elements).filter((input) => input.willValidate && !input.checkValidity());
  for (const input of wrong) mark(input, wrongWith(input));
  wrong[0]?.focus();
  return wrong.length === 0;
}

/** The browser would say it in its own language. */
function wrongWith({ validity, validationMessage, min, max, minLength }) {
  if (validity.customError) return validationMessage;
  if (validity.valueMissing) return t("forms.missing");
  if (validity.rangeUnderflow) return t("forms.at_least", min);
  if (validity.rangeOverflow) return t("forms.at_most", max);
  if (validity.tooShort) return t("forms.too_short", minLength);
  return t("forms.invalid");
}

function tell(element, trouble, error) {
  if (!(error instanceof Problem)) console.error(error);
  const named = (error.body?.errors ?? []).map(({ field: name, message }) => [element.elements[name], message]);
  const known = named.filter(([input]) => input);
  for (const [input, message] of known) mark(input, message);
  if (known.length > 0) {
    const [first] = known[0];
    (first instanceof RadioNodeList ? first[0] : first).focus();
    return;
  }
  const [title, detail] = error.status === 422 || error.status === 409 ? [error.message] : sayProblem(error);
  put(trouble, notice("bad", h("p", {}, h("strong", {}, title), " ", detail)));
}
