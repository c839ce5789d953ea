// What the API refuses in the forms of an account, in the shop's words and the reader's language.

import { Problem } from "../../lib/problem.mjs";
import { t } from "../../lib/text.mjs";

/** The API's messages for fields, and our text for each; a number in a message is the text's value. */
const MESSAGES = [
  [/^must have at least (\d+) characters/, "too_short"],
  [/^must have at most (\d+) /, "too_long"],
  [/^must not be empty/, "empty"],
  [/control characters/, "control"],
  [/^must be an e-mail address/, "email"],
  [/^is easy to guess/, "guessable"],
  [/^is not the password of this account/, "wrong_current"],
  [/^at most (\d+) are kept/, "too_many_addresses"],
];

function say(message) {
  for (const [pattern, name] of MESSAGES) {
    const match = pattern.exec(message);
    if (match) return t(`account.problems.${name}`, match[1]);
  }
  return message;
}

/** A refusal that a form says above its button, in these words. */
export function refusal(code, text) {
  return new Problem(422, { code, detail: text });
}

function inOurWords(problem) {
  if (problem.code === "too_many_attempts") return refusal(problem.code, t("account.problems.too_many_attempts", problem.retryAfter ?? 1));
  if (problem.status !== 422 || !problem.body.errors) return problem;
  const errors = problem.body.errors.map(({ field, message }) => ({ field, message: say(message) }));
  return new Problem(422, { ...problem.body, detail: errors[0]?.message ?? problem.message, errors });
}

/** Does `work`; what it is refused with is thrown in our words. */
export async function kindly(work) {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Problem ? inOurWords(error) : error;
  }
}
