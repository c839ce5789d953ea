// What is said at the edge of the page when a button did not work.

import { t } from "../../lib/text.mjs";
import { say, sayProblem } from "../states.mjs";

export function sayTrouble(error) {
  // The session has ended: the page has said so and shows the way back.
  if (error.status === 401) return;
  say(error.code === "too_many_attempts" ? t("account.problems.too_many_attempts", error.retryAfter ?? 1) : sayProblem(error).join(" – "), "bad");
}
