/**
 * The items of a month's statement: each with its lines, and a word on one that is wrong.
 * @module
 */

import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { level, onTheirWay, priceTable, redraw, said, trouble } from "../core/pieces.js";
import { dispute } from "./dispute.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

/**
 * A page of items; a month of thousands is shown as it is asked for.
 * @param {string} of the statement's address
 * @param {any} first page
 * @param {(cursor: string) => Promise<any>} next
 * @param {Context} context
 */
export function rows(of, first, next, context) {
  const { api, taps, signal } = context;
  /** @type {Map<string, { item: any, place: HTMLElement }>} */
  const known = new Map();
  const list = h("ul", { class: "cards" }), more = h("button", { onclick: () => void on() }, t("statement.more"));
  let cursor = "";
  const draw = (/** @type {string} */ id) => {
    const found = known.get(id);
    if (found) redraw(found.place, row(found.item, of, context));
  };
  const add = (/** @type {any} */ page) => {
    for (const item of page.items) {
      known.set(item.id, { item, place: list.appendChild(h("li", {})) });
      draw(item.id);
    }
    cursor = page.cursor;
    more.hidden = !cursor;
  };
  const on = async () => {
    const many = list.children.length;
    more.disabled = true;
    try {
      add(await next(cursor));
      /** @type {HTMLElement | null | undefined} */ (list.children[many]?.querySelector("summary"))?.focus();
    } catch (error) {
      if (!signal.aborted) more.before(trouble(said(error)));
    }
    more.disabled = false;
  };
  const read = async (/** @type {string} */ id) => {
    const found = known.get(id);
    if (found) found.item = await api.get(`${of}/items/${id}`, {}, signal).catch(() => found.item); // what was sent is kept all the same
    if (!signal.aborted) draw(id);
  };
  let shown = new Set();
  signal.addEventListener(
    "abort",
    taps.onChange((sent) => {
      const now = new Set(taps.list.map((each) => each.about));
      for (const id of new Set([...now, ...shown])) draw(id);
      shown = now;
      if (sent) void read(sent.about);
    }),
  );
  add(first);
  return [list, more];
}

/** @param {any} item @param {string} of @param {Context} context */
function row(item, of, context) {
  const { times, clock, taps } = context;
  const end = item.kind === "correction" ? t("statement.correction") : t(`status.${item.end}`);
  const lines = item.lines.map((/** @type {any} */ each) => ({ ...each, note: each.hcpcs }));
  const about = [level({ level_of_service: item.service }), item.reference].filter(Boolean).join(" · ");
  const wrong = () => void dispute(item.id, lines, `${of}/items/${item.id}/disputes`, context);
  const isOpen = (/** @type {any} */ each) => each.disputed;
  return h(
    "details",
    { class: "card", dataset: { item: item.offer_id, kind: item.kind } },
    h(
      "summary",
      { dataset: { at: item.id } },
      `${times.moment(item.start_at, clock.now())} · ${end} · ${money(item.cents)}`,
    ),
    h("p", { class: "soft" }, about),
    lines.some(isOpen) ? h("p", { class: "warn" }, t("statement.open")) : null,
    priceTable(lines, item.cents),
    onTheirWay(taps, item.id),
    lines.every(isOpen) ? null : h("button", { onclick: wrong, dataset: { at: `wrong ${item.id}` } }, t("dispute.act")),
  );
}
