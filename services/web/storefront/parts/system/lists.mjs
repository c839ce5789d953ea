// What is beside the drawing: from which layer the answers came, what happened to the replicas, which requests failed.

import { h } from "../../lib/dom.mjs";
import { number, t } from "../../lib/text.mjs";
import { LAYERS } from "./book.mjs";
import { share, write } from "./write.mjs";

/** Lines that are kept of what happened. */
const KEPT = 7;

/** The shares of the layers, of the last seconds and of all since the page was opened. */
export class Layers {
  #parts = {};
  node;

  constructor() {
    const rows = LAYERS.map((layer) => {
      const part = { bar: h("i", { class: layer }), share: h("span", { class: "share" }), count: h("span", { class: "count" }) };
      this.#parts[layer] = part;
      return h("div", { class: "layer" }, h("dt", {}, t(`system.layers.${layer}`)), h("dd", {}, h("span", { class: "track", "aria-hidden": true }, part.bar), part.share, part.count));
    });
    this.node = h("dl", { class: "layers" }, rows);
  }

  show(book, now) {
    const { layers, answered } = book.lately(now);
    for (const layer of LAYERS) {
      const { bar, share: said, count } = this.#parts[layer];
      write(said, share(layers[layer], answered));
      write(count, t("system.in_all", number(book.totals[layer])));
      const width = String(answered === 0 ? 0 : layers[layer] / answered);
      if (bar.dataset.width !== width) {
        bar.dataset.width = width;
        bar.style.setProperty("clip-path", `inset(0 ${(1 - width) * 100}% 0 0)`);
      }
    }
  }
}

/** The latest lines with their time, the newest first. */
export class Log {
  #list = h("ol", { class: "log" });
  #empty;
  node;

  constructor(empty) {
    this.#empty = h("p", { class: "soft" }, empty);
    this.node = h("div", {}, this.#empty, this.#list);
  }

  add(...children) {
    this.#empty.hidden = true;
    const time = new Date();
    // 21:04:09 in every language: a column of times is compared, not read.
    const shown = time.toTimeString().slice(0, 8);
    this.#list.prepend(h("li", {}, h("time", { datetime: time.toISOString() }, shown), h("span", {}, children)));
    while (this.#list.children.length > KEPT) this.#list.lastChild.remove();
  }
}
