// The customer's addresses: a list in which each can be edited where it stands, deleted after a question, and one added.

import { send } from "../../lib/api.mjs";
import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { addressFields, addressOf, addressText } from "../address.mjs";
import { form } from "../form.mjs";
import { say } from "../states.mjs";
import { confirmation } from "./confirm.mjs";
import { kindly } from "./refusals.mjs";
import { section } from "./section.mjs";
import { sayTrouble } from "./trouble.mjs";

/** As many as the API keeps. */
const MOST = 20;
const PATH = "/customers/me/addresses";

/**
 * @param {Array<object>} addresses of the API
 * @param {string} name the customer's, for a new one
 */
export function addressesSection(addresses, name) {
  const list = h("ul", { class: "addresses" });
  const below = h("div", { class: "below" });
  let items = addresses;

  const showAll = () => {
    list.hidden = items.length === 0;
    put(list, items.map((address) => card(address)));
    showBelow();
  };
  const showBelow = () => {
    const add = h("button", { type: "button", class: "button", onclick: startAdding }, t("account.add_address"));
    const none = items.length === 0 && h("p", { class: "soft" }, t("account.no_addresses"));
    put(below, none, items.length < MOST ? add : h("p", { class: "soft" }, t("account.addresses_full", MOST)));
  };
  /** Where the focus is after a change: the address, or the button that adds one. */
  const focusOn = (id) => {
    const card = id && list.querySelector(`[data-id="${id}"]`);
    ((card ?? below).querySelector("button") ?? below).focus();
  };

  const startAdding = () => {
    const added = async (values) => {
      const address = await kindly(() => send("POST", PATH, addressOf(values)));
      items = [...items, address];
      showAll();
      focusOn(address.id);
      say(t("account.address_added"));
    };
    const cancel = () => {
      showBelow();
      focusOn(null);
    };
    put(below, h("div", { class: "address open" }, addressForm(t("account.add_address"), { name }, added, cancel)));
    below.querySelector("input").focus();
  };

  const startEditing = (address, element) => {
    const edited = async (values) => {
      const next = await kindly(() => send("PUT", `${PATH}/${address.id}`, addressOf(values)));
      items = items.map((other) => (other.id === next.id ? next : other));
      element.replaceWith(card(next));
      focusOn(next.id);
      say(t("account.address_saved"));
    };
    const cancel = () => {
      element.replaceWith(card(address));
      focusOn(address.id);
    };
    put(element, addressForm(t("account.edit_address"), address, edited, cancel));
    element.classList.add("open");
    element.querySelector("input").focus();
  };

  const remove = async (address) => {
    await send("DELETE", `${PATH}/${address.id}`).catch((error) => {
      // Deleted in another window: it is what was asked for.
      if (error.status !== 404) throw error;
    });
    const at = items.findIndex((other) => other.id === address.id);
    items = items.filter((other) => other.id !== address.id);
    showAll();
    focusOn(items[Math.min(at, items.length - 1)]?.id);
    say(t("account.address_deleted"));
  };

  const card = (address) => {
    const short = `${address.name}, ${address.line1}`;
    const actions = h("div", { class: "answer" });
    const element = h("li", { class: "address", dataset: { id: address.id } }, addressText(address), actions);
    const act = (text, onclick) => h("button", { type: "button", class: "act", "aria-label": `${text}: ${short}`, onclick }, text);
    const edit = act(t("account.edit"), () => startEditing(address, element));
    const ask = () => {
      const close = () => {
        showActions();
        remover.focus();
      };
      put(actions, confirmation(t("account.delete_address"), t("account.delete"), () => remove(address), close, sayTrouble));
    };
    const remover = act(t("account.delete"), ask);
    const showActions = () => put(actions, h("div", { class: "acts" }, edit, remover));
    showActions();
    return element;
  };

  showAll();
  return section("addresses", list, below);
}

function addressForm(label, values, submit, cancel) {
  return form(
    { class: "address-form", "aria-label": label },
    submit,
    addressFields(values),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "button primary" }, t("forms.save")),
      h("button", { type: "button", class: "button", onclick: cancel }, t("forms.cancel")),
    ),
  );
}
