// A question before something is lost, in the place of the button that was pressed.

import { h } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { button } from "../form.mjs";

/**
 * @param {string} question
 * @param {string} yes the text of the button that does it
 * @param {() => Promise<void>} work
 * @param {() => void} close called when the question is answered with no, or its work was refused
 * @param {(error: Error) => void} failed
 */
export function confirmation(question, yes, work, close, failed) {
  const no = button(t("account.keep"), { class: "button small" }, close);
  const sure = button(yes, { class: "button small danger" }, work, (error) => {
    close();
    failed(error);
  });
  const element = h("div", { class: "confirm", role: "group", "aria-label": question }, h("p", {}, question), h("div", { class: "actions" }, sure, no));
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  // The answer that loses nothing has the focus.
  queueMicrotask(() => no.focus());
  return element;
}
