// One product as it is edited: what is said of it, whether it is sold, its variants and their stock.

import { get } from "../../lib/api.mjs";
import { h, link, put } from "../../lib/dom.mjs";
import { dayAndTime, t } from "../../lib/text.mjs";
import { facts, frame, frameOf, onlyStaff, section } from "../../parts/admin/frame.mjs";
import { productForm } from "../../parts/admin/product-form.mjs";
import { Subject } from "../../parts/admin/subject.mjs";
import { variantsSection } from "../../parts/admin/variants.mjs";
import { saidOf } from "../../parts/admin/words.mjs";
import { button } from "../../parts/form.mjs";
import { notice, say } from "../../parts/states.mjs";

export const skeleton = frameOf("products", 12);

export default async function (visit) {
  onlyStaff();
  const subject = new Subject(`/admin/products/${encodeURIComponent(visit.params.id)}`);
  const today = new Date().toISOString().slice(0, 10);
  const [, categories, sales] = await Promise.all([
    subject.read(visit.signal),
    get("/categories", { signal: visit.signal }),
    // A product without variants does not say in which currency the shop sells: the sum of today's sales does.
    get(`/admin/sales?from=${today}&until=${today}&by=day`, { signal: visit.signal }),
  ]);
  const title = h("span", {}, subject.body.title);
  subject.addEventListener("change", () => put(title, subject.body.title));
  const node = frame(
    "products",
    title,
    h(
      "div",
      { class: "admin-columns wide-left" },
      section(t("admin.product.about"), productForm(subject, categories.items)),
      section(t("admin.product.sale"), sale(subject)),
    ),
    section(t("admin.product.variants"), variantsSection(subject, sales.total.revenue.currency, visit.signal)),
  );
  return { title: subject.body.title, node };
}

/** Whether it is sold, and the button that changes that. */
function sale(subject) {
  const place = h("div", { class: "admin-stack" });
  const trouble = h("div");
  const hasSale = () => subject.body.variants.some(({ withdrawn }) => !withdrawn);
  const show = () => {
    const { published, handle, id, created_at: made, updated_at: changed } = subject.body;
    put(
      place,
      h("p", {}, h("span", { class: `badge ${published ? "good" : "warn"}` }, t(published ? "admin.products.published" : "admin.products.withdrawn"))),
      h("p", { class: "soft" }, t(published ? "admin.product.published_detail" : "admin.product.withdrawn_detail")),
      !hasSale() && notice("warn", h("p", {}, t("admin.product.no_variants"))),
      published && h("p", {}, link(`/products/${id}`, {}, t("admin.product.in_shop"))),
      facts(
        [t("admin.product.handle"), h("span", { class: "mono" }, handle)],
        [t("admin.product.made"), dayAndTime(made)],
        [t("admin.product.changed"), dayAndTime(changed)],
      ),
    );
    put(change, t(published ? "admin.product.withdraw" : "admin.product.publish"));
    change.classList.toggle("primary", !published);
    change.classList.toggle("danger", published);
  };
  const change = button("", {}, async () => {
    put(trouble);
    const published = !subject.body.published;
    // The shop would refuse.
    if (published && !hasSale()) return put(trouble, notice("warn", h("p", {}, t("admin.fields.published"))));
    await subject.write("PATCH", `/admin/products/${subject.body.id}`, { published });
    say(t(published ? "admin.product.is_published" : "admin.product.is_withdrawn"));
  }, async (error) => {
    if (error.status === 412) await subject.read();
    put(trouble, notice("warn", h("p", {}, saidOf(error))));
  });
  subject.addEventListener("change", show);
  show();
  return h("div", { class: "admin-stack" }, place, trouble, h("div", { class: "actions" }, change));
}
