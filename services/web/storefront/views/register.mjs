// Make an account, be logged in, and go where the visitor wanted to.

import { h, link, put } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { replace } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { t } from "../lib/text.mjs";
import { enter, entryPage } from "../parts/account/entry.mjs";
import { emailField, newPasswordField } from "../parts/account/fields.mjs";
import { nextOf } from "../parts/account/next.mjs";
import { kindly } from "../parts/account/refusals.mjs";
import { field, form } from "../parts/form.mjs";
import { notice } from "../parts/states.mjs";

export default async function (visit) {
  const next = nextOf(visit.query);
  if (session.current()) {
    replace(next);
    return null;
  }
  const logIn = `/login${location.search}`;
  const taken = h("div", { class: "said" });
  const submit = async ({ name, email, password }, element) => {
    put(taken);
    try {
      await enter(await kindly(() => session.register(email, password, name)), next);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "email_taken") throw error;
      const text = h("p", {}, h("strong", {}, t("account.problems.email_taken")), " ", link(logIn, {}, t("account.log_in_instead")));
      put(taken, notice("bad", text));
      element.elements.email.setAttribute("aria-invalid", "true");
      element.elements.email.focus();
    }
  };
  const element = form(
    { class: "entry-form", "aria-label": t("account.register") },
    submit,
    field("name", t("account.name"), { required: true, maxlength: 100, autocomplete: "name" }),
    emailField({ autocomplete: "email" }),
    taken,
    newPasswordField("password", t("account.password")),
    h("button", { type: "submit", class: "button primary" }, t("account.register")),
  );
  const aside = [
    h("h2", { id: "instead" }, t("account.known_here")),
    h("p", {}, t("account.known_here_detail")),
    link(logIn, { class: "button" }, t("account.log_in")),
  ];
  const lead = t("account.register_detail");
  return { title: t("account.register"), node: entryPage(t("account.register"), lead, element, aside) };
}
