// Log in, and go where the visitor wanted to.

import { h, link } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { replace } from "../lib/router.mjs";
import * as session from "../lib/session.mjs";
import { t } from "../lib/text.mjs";
import { enter, entryPage } from "../parts/account/entry.mjs";
import { emailField, passwordField } from "../parts/account/fields.mjs";
import { nextOf } from "../parts/account/next.mjs";
import { kindly, refusal } from "../parts/account/refusals.mjs";
import { form } from "../parts/form.mjs";

export default async function (visit) {
  const next = nextOf(visit.query);
  if (session.current()) {
    replace(next);
    return null;
  }
  const element = form(
    { class: "entry-form", "aria-label": t("account.log_in") },
    async ({ email, password }) => enter(await kindly(() => logIn(email, password)), next),
    emailField({ autocomplete: "username" }),
    passwordField("password", t("account.password")),
    h("button", { type: "submit", class: "button primary" }, t("account.log_in")),
  );
  const aside = [
    h("h2", { id: "instead" }, t("account.new_here")),
    h("p", {}, t("account.new_here_detail")),
    link(`/register${location.search}`, { class: "button" }, t("account.register")),
  ];
  const lead = visit.query.has("next") ? t("account.back_after") : null;
  return { title: t("account.log_in"), node: entryPage(t("account.log_in"), lead, element, aside) };
}

async function logIn(email, password) {
  try {
    return await session.logIn(email, password);
  } catch (error) {
    // Not "signed out": nobody was in. The API does not say which of the two is wrong, and neither do we.
    if (error instanceof Problem && error.status === 401) throw refusal(error.code, t("account.problems.wrong_login"));
    throw error;
  }
}
