// A product: its pictures, how it is bought, what it is, what others say, and what goes with it.

import { get } from "../lib/api.mjs";
import { h } from "../lib/dom.mjs";
import { Problem } from "../lib/problem.mjs";
import { events, rename } from "../lib/router.mjs";
import { t } from "../lib/text.mjs";
import { buy } from "../parts/catalogue/buy.mjs";
import { hearCurrency } from "../parts/catalogue/currency.mjs";
import { gallery } from "../parts/catalogue/gallery.mjs";
import { categoryName } from "../parts/catalogue/names.mjs";
import { firstVariant } from "../parts/catalogue/options.mjs";
import { plain, plainText } from "../parts/catalogue/plain.mjs";
import { readReviews, reviews, toReviews } from "../parts/catalogue/reviews.mjs";
import { trail } from "../parts/catalogue/trail.mjs";
import { productGrid } from "../parts/product-card.mjs";

/** Ids are positive 64-bit numbers: what is none is asked of nobody. */
const ID = /^[1-9]\d{0,17}$/;
const RELATED = 6;

export default async function productView(visit) {
  const { params, query, signal, back } = visit;
  if (!ID.test(params.id)) throw new Problem(404, { code: "not_found" });
  const read = () => get(`/products/${params.id}`, { signal });
  const product = await read();
  hearCurrency([product]);
  const [said, related] = await Promise.allSettled([readReviews(product.id, signal), get(`/products/${product.id}/related`, { signal })]);

  const pictures = gallery(product);
  const wanted = query.get("variant") ?? undefined;
  pictures.show(firstVariant(product, wanted));
  const chosen = (variant) => {
    pictures.show(variant);
    const now = new URLSearchParams(location.search);
    now.set("variant", variant.id);
    rename(`${location.pathname}?${now}`);
  };
  const writing = query.get("review") === "1";
  const opinions = reviews(product, said, { writing, signal });
  if (writing && !back) bringUp(opinions, signal);

  const { handle } = product.category;
  const others = related.value?.items.slice(0, RELATED) ?? [];
  return {
    title: product.title,
    meta: meta(product),
    node: h(
      "div",
      { class: "page catalogue product-page" },
      trail([`/categories/${encodeURIComponent(handle)}`, categoryName(product.category)]),
      h(
        "div",
        { class: "halves" },
        pictures.node,
        h(
          "div",
          { class: "about-it" },
          h("div", { class: "name" }, product.vendor && h("p", { class: "vendor" }, product.vendor), h("h1", { tabindex: -1 }, product.title), toReviews(product)),
          buy(product, { wanted, chosen, reread: read }),
          product.description && h("section", { class: "description" }, h("h2", {}, t("catalogue.description")), plain(product.description)),
        ),
      ),
      others.length > 0 && h("section", { class: "part related" }, h("div", { class: "head" }, h("h2", {}, t("catalogue.related"))), productGrid(others)),
      opinions,
    ),
  };
}

export function skeleton() {
  const bone = (kind) => h("span", { class: `bone ${kind}` });
  return h(
    "div",
    { class: "page catalogue product-page", "aria-busy": true },
    trail(),
    h("div", { class: "halves" }, h("div", { class: "gallery" }, h("span", { class: "picture bone" })), h("div", { class: "about-it" }, bone("short"), bone("heading"), bone("short"), bone("block"), bone(""), bone(""))),
  );
}

function meta(product) {
  // A picture on another host is not the shop's to share.
  const own = product.pictures.map(({ url }) => URL.parse?.(url, location.origin)).find((url) => url?.origin === location.origin);
  return { title: product.title, type: "product", description: plainText(product.description) || product.title, ...(own ? { image: own.href } : {}) };
}

/** Goes to the form that the address asks for, once the page is there. */
function bringUp(opinions, signal) {
  const go = () => {
    opinions.scrollIntoView({ block: "start", behavior: "instant" });
    opinions.querySelector(".slot input, .slot a")?.focus({ preventScroll: true });
  };
  events.addEventListener("shown", go, { once: true, signal });
}
