// Where to: one of the shopper's addresses, or a new one that is saved when the order is placed.

import { get, send } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { addressFields, addressOf, addressText } from "../../parts/address.mjs";
import * as kept from "./kept.mjs";

const MOST = 20;

/**
 * @param {object[]} saved addresses of the API
 * @param {string} [chosen] the id of one
 * @returns {{node: Node, addressId: (values: object) => Promise<string>}} `addressId` saves a new address; its problem is
 *   the form's to say
 */
export function delivery(saved, chosen) {
  const draft = kept.draft();
  const list = [...saved];
  const fields = h("div", { class: "co-new-address" });
  const entered = addressFields(draft ?? {});
  const choices = h("div", { class: "co-choices" });
  const node = h("fieldset", { class: "co-part" }, h("legend", {}, h("h2", {}, t("checkout.where"))), choices, fields);
  let uncertain = false;

  // The fields of a new address are in the form only while one is entered: what is not asked for is not checked.
  const show = (id) => put(fields, id === "" ? entered : []);
  const card = (id, text) => {
    const input = h("input", { type: "radio", name: "where", value: id, checked: id === start, onchange: () => show(id) });
    return h("label", { class: "co-card" }, input, h("span", { class: "co-card-text" }, text));
  };
  const start = draft || list.length === 0 ? "" : (list.find(({ id }) => id === chosen) ?? list[0]).id;
  put(choices, list.map((address) => card(address.id, addressText(address))), list.length > 0 && list.length < MOST && card("", t("checkout.new_address")));
  show(start);

  async function addressId(values) {
    const id = values.where ?? "";
    if (id !== "") return id;
    const address = addressOf(values);
    kept.keepDraft(address);
    // The answer to an earlier try was lost: it may have been saved.
    const earlier = uncertain && (await get("/customers/me/addresses")).items.find((other) => Object.entries(address).every(([name, value]) => other[name] === value));
    uncertain = true;
    const made = earlier || (await send("POST", "/customers/me/addresses", address));
    uncertain = false;
    kept.keepDraft(null);
    return made.id;
  }
  return { node, addressId };
}
