// Names that come from the catalogue and that the shop knows in the reader's language; others stay as they are.

import { hasText, t } from "../../lib/text.mjs";

/** @param {{handle: string, name: string}} category */
export function categoryName({ handle, name }) {
  return known(`catalogue.categories.${handle}`, name);
}

/** The name of an option, such as Size. */
export function optionName(name) {
  return known(`catalogue.options.${name.toLowerCase()}`, name);
}

function known(key, name) {
  // A dot would lead elsewhere in the dictionary.
  return key.split(".").length === 3 && hasText(key) ? t(key) : name;
}
