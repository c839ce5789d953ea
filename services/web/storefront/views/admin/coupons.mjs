// The coupons: all, a new one, and one whose time and limit are edited (`?code=`).

import { get } from "../../lib/api.mjs";
import { h, link, put } from "../../lib/dom.mjs";
import { dayAndTime, money, number, t } from "../../lib/text.mjs";
import { couponForm, newCoupon, offText } from "../../parts/admin/coupon-forms.mjs";
import { facts, fold, frame, frameOf, onlyStaff, section } from "../../parts/admin/frame.mjs";
import { Subject } from "../../parts/admin/subject.mjs";
import { list } from "../../parts/admin/table.mjs";
import { empty } from "../../parts/states.mjs";

export const skeleton = frameOf("coupons", 10);

export default async function (visit) {
  onlyStaff();
  const code = visit.query.get("code");
  return code ? one(visit, code) : all(visit);
}

async function all(visit) {
  const today = new Date().toISOString().slice(0, 10);
  const [coupons, sales] = await Promise.all([
    list(visit, { path: "/admin/coupons", label: t("admin.coupons.title"), columns: columns(), none: empty(t("admin.coupons.none"), t("admin.coupons.none_detail")) }),
    // Says in which currency the shop sells.
    get(`/admin/sales?from=${today}&until=${today}&by=day`, { signal: visit.signal }),
  ]);
  const node = frame(
    "coupons",
    t("admin.coupons.title"),
    h("div", { class: "admin-folds" }, fold(t("admin.coupons.new"), {}, newCoupon(sales.total.revenue.currency))),
    coupons,
  );
  return { title: t("admin.coupons.title"), node };
}

function columns() {
  return [
    { label: t("admin.coupons.code"), cell: ({ code }) => link(`/admin/coupons?code=${code}`, { class: "mono" }, code) },
    { label: t("admin.coupons.off"), kind: "number", cell: ({ off }) => offText(off) },
    { label: t("admin.coupons.minimum"), kind: "number", cell: ({ minimum }) => (minimum.amount > 0 ? money(minimum) : "–") },
    { label: t("admin.coupons.used"), kind: "number", cell: used },
    { label: t("admin.coupons.valid"), cell: ({ valid_from: from, valid_until: until }) => validText(from, until) },
    { label: t("admin.coupons.state"), cell: badge },
  ];
}

function used({ used: uses, max_uses: most }) {
  return most === null || most === undefined ? number(uses) : t("admin.coupons.used_of", number(uses), number(most));
}

function validText(from, until) {
  if (!from && !until) return t("admin.coupons.always");
  return [from && t("admin.coupons.from", dayAndTime(from)), until && t("admin.coupons.until", dayAndTime(until))].filter(Boolean).join(" ");
}

/** Whether it can be used now, and why not. */
function badge({ active, valid_from: from, valid_until: until, used: uses, max_uses: most }) {
  const now = Date.now();
  const [kind, name] =
    !active ? ["warn", "off"]
    : from && Date.parse(from) > now ? ["warn", "later"]
    : until && Date.parse(until) <= now ? ["", "over"]
    : most !== null && most !== undefined && uses >= most ? ["", "used_up"]
    : ["good", "on"];
  return h("span", { class: `badge ${kind}` }, t(`admin.coupons.states.${name}`));
}

async function one(visit, code) {
  const subject = await new Subject(`/admin/coupons/${encodeURIComponent(code)}`).read(visit.signal);
  const title = t("admin.coupons.one", subject.body.code);
  const state = h("div", {});
  const show = () => {
    const coupon = subject.body;
    put(
      state,
      facts(
        [t("admin.coupons.state"), badge(coupon)],
        [t("admin.coupons.off"), offText(coupon.off)],
        [t("admin.coupons.minimum"), coupon.minimum.amount > 0 && money(coupon.minimum)],
        [t("admin.coupons.max_uses_per_customer"), coupon.max_uses_per_customer ? number(coupon.max_uses_per_customer) : t("admin.coupons.no_limit")],
        [t("admin.coupons.used"), used(coupon)],
        [t("admin.coupons.valid"), validText(coupon.valid_from, coupon.valid_until)],
        [t("admin.coupons.changed"), dayAndTime(coupon.updated_at)],
      ),
    );
  };
  subject.addEventListener("change", show);
  show();
  const node = frame(
    "coupons",
    title,
    h(
      "div",
      { class: "admin-columns wide-left" },
      section(t("admin.coupons.edit"), h("p", { class: "soft" }, t("admin.coupons.edit_detail")), couponForm(subject)),
      section(t("admin.coupons.about"), state, h("p", {}, link("/admin/coupons", {}, t("admin.coupons.back")))),
    ),
  );
  return { title, node };
}
