// Forms that edit what somebody else may be editing too. A save sends only what was changed, on the condition that nobody
// else changed it meanwhile. When somebody did: what is not touched here follows, what was entered stays, and where both
// changed the same, both are shown and the admin decides.

import { h, put } from "../../lib/dom.mjs";
import { t } from "../../lib/text.mjs";
import { form } from "../form.mjs";
import { notice, say } from "../states.mjs";
import { inWords } from "./words.mjs";

/**
 * @typedef {object} Control one thing that is edited
 * @property {string} name the API's
 * @property {string} label
 * @property {Node} node
 * @property {() => *} get what is entered, as the API takes it @throws {Problem}
 * @property {(value: *) => void} set
 * @property {(value: *) => string} show a value as it is read
 */

/** A control of one labelled input: `node` is what field() made. */
export function control(name, label, node, { get = (text) => text, set = (value) => value ?? "", show = (value) => value || "–" } = {}) {
  const input = node.querySelector("input, select, textarea");
  return {
    name,
    label,
    node,
    get: () => get(input.value),
    set: (value) => {
      input.value = set(value);
    },
    show,
  };
}

/**
 * @param {object} of
 * @param {import("./subject.mjs").Subject} of.subject
 * @param {(body: object) => object} of.pick the edited values of what was read, by the controls' names
 * @param {Control[]} of.controls
 * @param {(changes: object) => Promise<void>} of.save writes through the subject
 * @param {Node} of.submit the button
 * @param {Node[]} [of.layout] the controls' nodes as they are laid out
 */
export function editForm({ subject, pick, controls, save, submit, layout, attributes = {} }) {
  const read = () => {
    const all = pick(subject.body);
    return Object.fromEntries(controls.map(({ name }) => [name, all[name]]));
  };
  let base = read();
  const trouble = h("div", { class: "admin-conflict", tabindex: -1 });
  for (const each of controls) each.set(base[each.name]);

  async function submitted() {
    put(trouble);
    const changes = {};
    for (const each of controls) {
      const entered = each.get();
      if (!same(entered, base[each.name])) changes[each.name] = entered;
    }
    // Another form of this page may have read it anew.
    if (!same(read(), base)) return settle();
    if (Object.keys(changes).length === 0) return say(t("admin.nothing_changed"));
    try {
      await save(changes);
    } catch (error) {
      if (error.status !== 412) throw inWords(error);
      await subject.read();
      return settle();
    }
    base = read();
    for (const each of controls) each.set(base[each.name]);
    say(t("admin.saved"));
  }

  function settle() {
    const before = base;
    base = read();
    const followed = [];
    const contested = [];
    for (const each of controls) {
      const [old, now, mine] = [before[each.name], base[each.name], each.get()];
      if (same(now, old) || same(now, mine)) continue;
      if (same(mine, old)) {
        each.set(now);
        followed.push(each);
      } else contested.push({ each, now, mine });
    }
    put(trouble, explain(followed, contested, base));
    trouble.focus();
  }

  return form(attributes, submitted, trouble, ...(layout ?? controls.map(({ node }) => node)), submit);
}

function explain(followed, contested, base) {
  const rows = contested.map(({ each, now, mine }) => {
    const taken = h("button", { type: "button", class: "button small" }, t("admin.conflict.take"));
    taken.addEventListener("click", () => {
      each.set(base[each.name]);
      put(choice, h("span", { class: "soft" }, t("admin.conflict.taken")));
      each.node.querySelector("input, select, textarea")?.focus();
    });
    const choice = h("dd", { class: "choice" }, taken);
    return h(
      "div",
      {},
      h("dt", {}, each.label),
      h("dd", {}, h("span", { class: "soft" }, t("admin.conflict.now")), " ", each.show(now)),
      h("dd", {}, h("span", { class: "soft" }, t("admin.conflict.mine")), " ", each.show(mine)),
      choice,
    );
  });
  return notice(
    "warn",
    h("p", {}, h("strong", {}, t("admin.conflict.title"))),
    followed.length > 0 &&
      h("p", {}, t("admin.conflict.followed"), " ", followed.map((each) => `${each.label}: ${each.show(base[each.name])}`).join("; ")),
    contested.length > 0 && h("p", {}, t("admin.conflict.contested")),
    contested.length > 0 && h("dl", { class: "contested" }, rows),
    h("p", {}, t(contested.length > 0 ? "admin.conflict.decide" : "admin.conflict.again")),
  );
}

/** Whether two values of the API are the same. */
export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
