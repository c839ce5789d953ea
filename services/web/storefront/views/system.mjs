// The system page: the three tiers at work, seen from this browser. It only asks what anybody may ask, so it shows the
// same behind nginx on a laptop and behind a load balancer.

import { h } from "../lib/dom.mjs";
import { number, t } from "../lib/text.mjs";
import { Book } from "../parts/system/book.mjs";
import { Dots } from "../parts/system/dots.mjs";
import { Layers, Log } from "../parts/system/lists.mjs";
import { Picture } from "../parts/system/picture.mjs";
import { KINDS } from "../parts/system/reads.mjs";
import { RATE, Stream } from "../parts/system/stream.mjs";
import { Table } from "../parts/system/table.mjs";
import { write } from "../parts/system/write.mjs";

/** How often it is looked who has fallen silent, and how often the numbers are written. */
const LOOK_MS = 250;
const WRITE_MS = 500;

export default async function system(visit) {
  const book = new Book(performance.now());
  const picture = new Picture();
  const dots = new Dots(picture);
  const layers = new Layers();
  const table = new Table();
  const events = new Log(t("system.no_events"));
  const failures = new Log(t("system.no_failures"));
  const spoken = h("p", { class: "unseen", role: "status" });

  const happened = (name, what) => {
    changed = true;
    const replica = book.replicas.get(name);
    events.add(h("strong", { class: replica ? `c${replica.colour}` : null }, name), " ", t(`system.happened.${what}`));
    write(spoken, `${name} ${t(`system.happened.${what}`)}`);
  };

  const stream = new Stream({
    replicas: () => book.replicas.size,
    sent: () => dots.leave(),
    heard: (heard, token) => {
      if (heard) {
        const what = book.read(heard, performance.now());
        if (what) happened(heard.replica, what);
        if (heard.status === 0 || heard.status >= 400) fail(failures, heard);
      }
      dots.arrive(token, heard && { ...heard, colour: book.replicas.get(heard.replica)?.colour ?? 0 });
    },
    told: (heard) => {
      if (heard.status === 200) {
        const what = book.told(heard.body, performance.now());
        if (what) happened(heard.replica ?? heard.body.replica, what);
      } else fail(failures, heard);
    },
  });

  let written = 0;
  let changed = true;
  const look = () => {
    const now = performance.now();
    for (const name of book.sweep(now)) happened(name, "silent");
    if (!changed && now - written < WRITE_MS - LOOK_MS / 2) return;
    changed = false;
    written = now;
    picture.show(book, stream, now);
    layers.show(book, now);
    table.show(book, now);
  };

  const controls = runControls(visit, stream, book);
  const looking = setInterval(() => stream.runs && picture.node.isConnected && look(), LOOK_MS);
  visit.signal.addEventListener("abort", () => {
    clearInterval(looking);
    stream.stop();
  });

  return {
    title: t("system.title"),
    node: h(
      "div",
      { class: "page system" },
      h("div", { class: "intro" }, h("header", {}, h("h1", { tabindex: -1 }, t("system.title")), h("p", { class: "soft" }, t("system.about"))), controls),
      picture.node,
      spoken,
      h(
        "div",
        { class: "beside" },
        h("section", {}, h("h2", {}, t("system.sources")), h("p", { class: "soft" }, t("system.sources_about")), layers.node),
        h("section", {}, h("h2", {}, t("system.events")), events.node),
        h("section", { class: "failures" }, h("h2", {}, t("system.errors")), failures.node),
      ),
      h("section", {}, h("h2", {}, t("system.table")), h("p", { class: "soft" }, t("system.table_about")), table.node),
    ),
  };
}

function fail(failures, { status, path, replica }) {
  failures.add(h("strong", { class: "bad" }, status === 0 ? t("system.no_answer") : String(status)), " ", h("code", {}, path), replica ? ` ${replica}` : "");
}

/** The slider, what is asked for, and the pause; the stream also rests while nobody looks. */
function runControls(visit, stream, book) {
  let paused = false;
  let stopped = null;
  const run = () => {
    const should = !paused && !document.hidden && !visit.signal.aborted;
    if (should && !stream.runs) {
      if (stopped !== null) book.skip(performance.now() - stopped);
      stream.start();
    } else if (!should && stream.runs) {
      stopped = performance.now();
      stream.stop();
    }
  };
  const said = h("output", { for: "system-rate" });
  const rate = h("input", { type: "range", id: "system-rate", min: RATE.least, max: RATE.most, step: 1, value: RATE.usual });
  const setRate = () => {
    stream.rate = rate.valueAsNumber;
    write(said, t("system.a_second", number(stream.rate)));
    rate.setAttribute("aria-valuetext", said.textContent);
  };
  rate.addEventListener("input", setRate);
  const kind = h("select", { id: "system-kind" }, KINDS.map((name) => h("option", { value: name }, t(`system.kinds.${name}`))));
  kind.addEventListener("change", () => {
    stream.kind = kind.value;
  });
  const pause = h("button", { type: "button", class: "button", "aria-pressed": "false" }, t("system.pause"));
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    run();
  });
  document.addEventListener("visibilitychange", run, { signal: visit.signal });
  setRate();
  run();
  return h(
    "div",
    { class: "controls" },
    h("div", { class: "control rate" }, h("label", { for: "system-rate" }, t("system.rate")), rate, said),
    h("div", { class: "control" }, h("label", { for: "system-kind" }, t("system.kind")), kind),
    pause,
  );
}
