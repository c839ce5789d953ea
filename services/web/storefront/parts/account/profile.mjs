// Who the customer is: the e-mail address to look at, the name to change, and the password.

import { send } from "../../lib/api.mjs";
import { h } from "../../lib/dom.mjs";
import * as session from "../../lib/session.mjs";
import { t } from "../../lib/text.mjs";
import { field, form } from "../form.mjs";
import { say } from "../states.mjs";
import { newPasswordField, passwordField } from "./fields.mjs";
import { kindly } from "./refusals.mjs";
import { section } from "./section.mjs";

/** @param {object} profile of the API */
export function profileSection(profile) {
  const change = async ({ name }) => {
    await kindly(() => send("PATCH", "/customers/me", { name }));
    await session.reread();
    say(t("account.name_saved"));
  };
  return section(
    "profile",
    h("dl", {}, h("dt", {}, t("account.email")), h("dd", {}, profile.email)),
    form(
      { "aria-label": t("account.profile") },
      change,
      field("name", t("account.name"), { value: profile.name, required: true, maxlength: 100, autocomplete: "name", hint: t("account.name_hint") }),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("account.save_name"))),
    ),
  );
}

/** @param {string} email so that a password manager knows whose password it is; `changed` is called after a change */
export function passwordSection(email, changed) {
  const change = async ({ current_password, new_password }, element) => {
    await kindly(() => send("PUT", "/customers/me/password", { current_password, new_password }, { once: true }));
    element.reset();
    say(t("account.password_saved"));
    await changed();
  };
  return section(
    "password_change",
    form(
      { "aria-label": t("account.password_change") },
      change,
      h("input", { type: "email", name: "username", value: email, autocomplete: "username", readonly: true, hidden: true }),
      passwordField("current_password", t("account.current_password")),
      newPasswordField("new_password", t("account.new_password")),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "button primary" }, t("account.save_password"))),
    ),
  );
}
