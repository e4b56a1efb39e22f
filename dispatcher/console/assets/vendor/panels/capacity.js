/**
 * Capacity of the coming days: how many units of each pool, hour by hour; as last week by one tap.
 * @module
 */

import { Problem } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { redraw, said, trouble } from "../core/pieces.js";
import { edit, runs } from "./capacity_edit.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {{ posted: any, etag: string }} Posted */

const DAYS = 7, WEEK = 7, GONE = 404;

export const title = () => t("capacity.title");

/** @param {HTMLElement} root @param {Context} context */
export function mount(root, context) {
  const { times, clock, session, signal } = context, today = times.date(clock.now());
  const list = h("ol", { class: "cards" });
  root.append(h("h1", {}, title()), h("p", { class: "soft" }, t("capacity.about")), list);
  for (let nth = 0; nth < DAYS; nth++) list.append(day(times.later(today, nth), { ...context, session, signal }));
}

/** @param {string} date @param {Context} context */
function day(date, context) {
  const { times } = context, card = h("li", { class: "card", dataset: { day: date } });
  const draw = async (/** @type {string} */ trouble_ = "") => {
    try {
      const found = await read(date, context);
      redraw(card, ...shown(date, found, context, draw), trouble_ ? trouble(trouble_) : null);
    } catch (error) {
      if (!context.signal.aborted) redraw(card, h("h2", {}, times.called(date)), trouble(said(error)));
    }
  };
  redraw(card, h("h2", {}, times.called(date)), h("p", { class: "soft" }, t("loading")));
  void draw();
  return card;
}

/** What is posted for a day; null: nothing. @param {string} date @param {Context} context @returns {Promise<Posted | null>} */
async function read(date, { api, session, signal }) {
  try {
    const { data, etag } = await api.call("GET", `/vendors/${session.vendor_id}/capacity/${date}`, { signal });
    return { posted: data, etag };
  } catch (error) {
    if (error instanceof Problem && error.status === GONE) return null;
    throw error;
  }
}

/** @param {string} date @param {Posted | null} found @param {Context} context @param {(trouble?: string) => Promise<void>} again */
function shown(date, found, context, again) {
  const { times } = context, called = times.called(date);
  const save = async (/** @type {any} */ posted) => {
    await write(date, posted, found?.etag || "", context);
    await again();
  };
  const asLastWeek = async () => {
    try {
      const before = await read(times.later(date, -WEEK), context);
      if (!before) return await again(t("capacity.nothing"));
      await save(before.posted);
    } catch (error) {
      await again(said(error));
    }
  };
  return [
    h("h2", {}, called),
    found ? h("ul", { class: "pools" }, found.posted.pools.map(pool)) : h("p", { class: "soft" }, t("capacity.none")),
    h(
      "div",
      { class: "acts" },
      h("button", {
        onclick: () => void asLastWeek(),
        dataset: { at: `week ${date}` },
        "aria-label": `${t("capacity.week")}, ${called}`,
      }, t("capacity.week")),
      h("button", {
        onclick: () => void edit(called, found?.posted || null, context, save, again),
        dataset: { at: `edit ${date}` },
        "aria-label": `${t("capacity.edit")}, ${called}`,
      }, t("capacity.edit")),
    ),
  ];
}

/** @param {any} each */
function pool(each) {
  const serves = each.serves.map((/** @type {string} */ level) => t(`level.${level}`)).join(", ");
  const said = runs(each.units).filter((run) => run.units).map((run) => `${run.from}–${run.to}: ${run.units}`);
  return h(
    "li",
    {},
    h("strong", {}, each.id),
    h("span", { class: "soft" }, ` ${serves}`),
    h("ul", { class: "facts" }, (said.length ? said : ["0"]).map((run) => h("li", {}, run))),
  );
}

/** @param {string} date @param {any} posted @param {string} etag @param {Context} context */
async function write(date, posted, etag, { api, session }) {
  const body = { kind: posted.kind, pools: posted.pools };
  await api.put(`/vendors/${session.vendor_id}/capacity/${date}`, body, { ifMatch: etag });
}
