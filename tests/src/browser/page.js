// What a person finds on a page, by what is seen or heard. This is the body of a function: arguments[0] says what is
// asked, the others are its values. Answers an element or a value; null when it is not there (yet).
const [ask, ...given] = arguments;

const tidy = (text) => text.replace(/\s+/g, " ").trim();
const same = (a, b) => tidy(a).toLowerCase() === tidy(b).toLowerCase();

/** Shown, and not kept from those who listen. */
function present(element) {
  return element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !element.closest("[aria-hidden=true], [inert]");
}

/** What is said of an element: the accessible name, as far as these pages need it. */
function name(element) {
  const by = element.getAttribute("aria-labelledby");
  if (by) return tidy(by.split(/\s+/).map((id) => words(document.getElementById(id))).join(" "));
  if (element.ariaLabel) return tidy(element.ariaLabel);
  if (element.labels?.length) return tidy(Array.from(element.labels, words).join(" "));
  if (element.tagName === "INPUT" && element.type === "submit") return element.value;
  return tidy(words(element)) || tidy(element.title || element.placeholder || "");
}

function words(node) {
  if (!node) return "";
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE || node.ariaHidden === "true" || node.hidden) return "";
  if (node.tagName === "IMG") return ` ${node.alt} `;
  if (node.tagName === "SELECT" || node.tagName === "TEXTAREA") return "";
  if (node.ariaLabel) return ` ${node.ariaLabel} `;
  const inside = Array.from(node.childNodes, words).join("");
  return getComputedStyle(node).display === "inline" ? inside : ` ${inside} `;
}

const ROLES = {
  button: "button, summary, [role=button], input[type=submit]",
  link: "a[href]",
  choice: "input[type=radio], input[type=checkbox], [role=radio], [role=switch], option",
  field: "input:not([type=radio], [type=checkbox], [type=submit], [type=hidden]), textarea, select",
  heading: "h1, h2, h3, h4, h5, h6",
};
ROLES.control = `${ROLES.button}, ${ROLES.link}, ${ROLES.choice}, [role=tab]`;

/** The best of a kind for a name: the whole name, then its beginning, then a part of it; an open dialog comes first, the page's own before what is around it. */
function find(role, wanted, within) {
  const everything = Array.from((within ?? document).querySelectorAll(ROLES[role])).filter((element) => present(shown(element)));
  const dialog = document.querySelector("dialog[open]");
  const place = (element) => (dialog?.contains(element) ? 0 : element.closest("main") ? 1 : 2);
  const low = tidy(wanted).toLowerCase();
  let best = null;
  for (const element of everything) {
    const has = name(element).toLowerCase();
    const match = has === low ? 0 : has.startsWith(low) ? 1 : has.includes(low) ? 2 : null;
    if (match === null) continue;
    const rank = match * 3 + place(element);
    if (best === null || rank < best.rank) best = { rank, element };
  }
  return best?.element ?? null;
}

/** What is clicked for a control: an input that is drawn by its label is its label. */
function shown(element) {
  const box = element.getBoundingClientRect();
  const hidden = box.width <= 1 || box.height <= 1 || getComputedStyle(element).opacity === "0";
  return hidden && element.labels?.length ? element.labels[0] : element;
}

/** The smallest part of the page that is something by itself and has this text: a line of a list, a row, a form. */
function part(text) {
  const low = tidy(text).toLowerCase();
  const parts = Array.from(document.querySelectorAll("li, tr, article, section, fieldset, form, dialog, main"));
  const fitting = parts.filter((element) => present(element) && tidy(element.innerText).toLowerCase().includes(low));
  return fitting.reduce((best, element) => (best === null || best.contains(element) ? element : best), null);
}

const answers = {
  control: (wanted) => {
    const found = find("control", wanted);
    return found && shown(found);
  },
  role: (role, wanted) => {
    const found = find(role, wanted);
    return found && shown(found);
  },
  control_in: (text, wanted) => {
    const within = part(text);
    const found = within && find("control", wanted, within);
    return found && shown(found);
  },
  field: (wanted) => find("field", wanted),
  field_in: (text, wanted) => {
    const within = part(text);
    return within && find("field", wanted, within);
  },
  focused: () => name(document.activeElement),
  text: () => tidy(document.body.innerText),
  // Where a reader is: the view is there, and nothing in it is about to come.
  settled: () => {
    const main = document.querySelector("main");
    const waiting = Array.from(main?.querySelectorAll("[aria-busy=true], .bone, .bones") ?? []).some((element) => element.checkVisibility());
    const pictures = Array.from(document.images).every((image) => image.complete || image.loading === "lazy");
    return main?.querySelector("h1") && !waiting && pictures && document.fonts.status === "loaded" ? true : null;
  },
};
return answers[ask](...given);
