// Elements. Text is always text: nothing here takes HTML.

/**
 * Makes an element.
 * @param {string} name the tag
 * @param {object} [attributes] attributes; `class`, `dataset` and `style` (an object of properties) as usual, `onclick`
 *   and the like are listeners; false, null and undefined leave the attribute out, true leaves it empty
 * @param {...(Node|string|number|Array|null|undefined|false)} children
 */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

const ARIA = /^aria-/;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") for (const [property, set] of Object.entries(value)) element.style.setProperty(property, set);
    else if (name !== "value") element.setAttribute(name, value === true && !ARIA.test(name) ? "" : value);
  }
  element.append(...flat(children));
  // Last: a select has its value from its options.
  if (attributes?.value !== undefined && attributes.value !== null) element.value = attributes.value;
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Puts `children` in the place of what `element` has. */
export function put(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** A link within the shop. */
export function link(href, attributes, ...children) {
  return h("a", { href, ...attributes }, ...children);
}

let ids = 0;

/** An id for this page, for labels. */
export function id(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}
