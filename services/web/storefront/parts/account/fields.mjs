// Fields that log in, registration and account have in common: e-mail address and password.

import { h } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { field } from "../form.mjs";

/** The shortest password that the API takes: said and checked before it is asked. */
const SHORTEST = 8;

export function emailField(attributes) {
  const element = field("email", t("account.email"), {
    type: "email",
    required: true,
    maxlength: 254,
    autocapitalize: "none",
    spellcheck: "false",
    ...attributes,
  });
  return inOurWords(element, t("account.problems.email"));
}

/** A password that is there already. */
export function passwordField(name, label) {
  return revealable(field(name, label, { type: "password", required: true, autocomplete: "current-password" }));
}

/** A password to be: what it has to be is said before it is typed. */
export function newPasswordField(name, label) {
  const attributes = { type: "password", required: true, autocomplete: "new-password", minlength: SHORTEST, hint: t("account.password_rule", SHORTEST) };
  return inOurWords(revealable(field(name, label, attributes)), t("account.problems.too_short", SHORTEST));
}

/** Makes what the browser itself finds wrong be said in the page's language, which need not be the browser's. */
function inOurWords(element, message) {
  const input = element.querySelector("input");
  input.addEventListener("invalid", () => {
    if (!input.validity.valueMissing) input.setCustomValidity(message);
  });
  input.addEventListener("input", () => input.setCustomValidity(""));
  return element;
}

/** Adds the button that shows what was typed; what is sent is hidden again. */
function revealable(element) {
  const input = element.querySelector("input");
  const toggle = h("button", { type: "button", class: "reveal", "aria-controls": input.id });
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    toggle.textContent = t(shown ? "account.hide" : "account.show");
    toggle.setAttribute("aria-label", t(shown ? "account.hide_password" : "account.show_password"));
  };
  toggle.addEventListener("click", () => show(input.type === "password"));
  const box = h("div", { class: "secret" });
  input.replaceWith(box);
  box.append(input, toggle);
  input.setAttribute("autocapitalize", "none");
  input.setAttribute("spellcheck", "false");
  show(false);
  queueMicrotask(() => input.form?.addEventListener("submit", () => show(false)));
  return element;
}
