/**
 * What stands behind a figure, and what is wrong about it.
 * @module
 */

import { h } from "../../core/dom.js";
import { has, t } from "../core/messages.js";
import { level, redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { sheet } from "./sheet.js";
import { called } from "./scorecard.js";

/** @typedef {import("../core/app.js").Context} Context */

const DISPUTABLE = ["declined", "expired", "turned_back", "late", "failed"],
  ANSWERED = ["upheld", "not_upheld"],
  MOST_CHARS = 1_000;

/** @param {HTMLElement} root @param {string} name of the figure @param {number} days @param {Context} context */
export async function behind(root, name, days, context) {
  const { api, session, times, clock, signal } = context, today = times.date(clock.now());
  const query = { figure: name, from: times.later(today, 1 - days), to: today };
  const list = h("ul", { class: "cards" }), more = h("div", {});
  root.append(h("a", { class: "back", href: "/vendor/scorecard" }, t("back")), h("h1", {}, called(name)), list, more);
  const card = `/vendors/${session.vendor_id}/scorecard`;
  /** @type {Map<string, string>} */
  const reasons = new Map();
  const read = async (/** @type {string} */ cursor) => {
    try {
      const page = await api.get(`${card}/requests`, { ...query, cursor }, signal);
      const answered = page.requests.some((/** @type {any} */ each) => ANSWERED.includes(each.dispute));
      if (answered && !reasons.size) await reasonsInto(reasons, card, context);
      for (const each of page.requests) {
        list.append(item({ ...each, reason: reasons.get(each.dispute_id) }, context, card));
      }
      if (!list.children.length) list.append(h("li", { class: "empty" }, t("scorecard.nobody")));
      redraw(more, page.cursor ? h("button", { onclick: () => void read(page.cursor) }, t("scorecard.more")) : null);
    } catch (error) {
      if (!signal.aborted) redraw(more, trouble(said(error)));
    }
  };
  await read("");
}

/** What ops said of each dispute. @param {Map<string, string>} reasons @param {string} card @param {Context} context */
async function reasonsInto(reasons, card, { api, signal }) {
  let cursor = "";
  do {
    const page = await api.get(`${card}/disputes`, { cursor }, signal);
    for (const each of page.disputes) reasons.set(each.id, each.reason);
    cursor = page.cursor;
  } while (cursor);
}

/** @param {any} found @param {Context} context @param {string} card */
function item(found, context, card) {
  const { times, clock } = context, made = h("li", { class: "card" });
  const draw = (/** @type {string} */ state) => {
    const may = DISPUTABLE.includes(found.outcome) && !state;
    const dispute = () => void ask(found, context, card).then((said) => said && draw(said.state));
    redraw(
      made,
      h(
        "p",
        { class: "head" },
        h("span", { class: "when" }, times.moment(found.start_at, clock.now())),
        h("span", { class: "status" }, t(`figure.${found.outcome}`)),
      ),
      h(
        "p",
        { class: "soft" },
        [
          found.level && level({ level_of_service: found.level }),
          found.code && has(`code.${found.code}`) ? t(`code.${found.code}`) : "",
          found.minutes > 0 && t("ride.late", { n: found.minutes }),
          found.request_id,
        ].filter(Boolean).join(" · "),
      ),
      state ? h("p", { class: "warn" }, t(`disputed.${state}`)) : null,
      found.reason ? h("p", { class: "soft" }, t("disputed.reason", { reason: found.reason })) : null,
      may ? h("button", { onclick: dispute }, t("scorecard.dispute")) : null,
    );
  };
  draw(found.dispute || "");
  return made;
}

/** @param {any} found @param {Context} context @param {string} card */
function ask(found, { api }, card) {
  const text = h("textarea", { name: "text", required: true, maxLength: MOST_CHARS });
  return sheet({
    title: t("scorecard.dispute"),
    draft: `score ${found.offer_id} ${found.outcome}`,
    body: [h("p", { class: "soft" }, t("scorecard.dispute.about")), field(t("dispute.text"), text)],
    act: t("send"),
    run: (form) =>
      api.post(`${card}/disputes`, {
        offer_id: found.offer_id,
        outcome: found.outcome,
        text: String(form.get("text")),
      }),
  });
}
