/**
 * Waiting at a door, and what the work costs by now.
 * @module
 */

import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { priceTable, steady } from "../core/pieces.js";
import { dispute } from "./dispute.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const AT_DOOR = ["at_pickup"];

/** Since when the vendor waits, with what was tapped; "" if it does not. @param {any} dispatch @param {any} price @param {Context} context */
export function waitingSince(dispatch, price, { taps }) {
  const tapped = taps.of(dispatch.id).filter((each) => ["waiting", "ready"].includes(each.kind) && !each.refused).at(
    -1,
  );
  if (tapped) return tapped.kind === "waiting" ? String(tapped.body.since) : "";
  return price?.waits?.find((/** @type {any} */ each) => !each.until)?.since || "";
}

/** The button that says that one waits, or no longer. @param {any} dispatch @param {any} price @param {string} status @param {Context} context */
export function waitButton(dispatch, price, status, context) {
  const since = waitingSince(dispatch, price, context), { times, clock } = context;
  if (!since && !AT_DOOR.includes(status)) return null;
  const now = () => new Date(clock.now()).toISOString();
  const wait = () => say(dispatch, "waiting", { since: now() }, context);
  const ready = () => say(dispatch, "ready", { at: now() }, context);
  const button = h(
    "button",
    { class: "whole", onclick: steady(() => void (since ? ready() : wait())), dataset: { at: "wait" } },
    t(since ? "ride.ready" : "ride.wait"),
  );
  return [
    since && h("p", { class: "whole warn" }, t("ride.waiting", { time: times.moment(since, clock.now()) })),
    button,
  ];
}

/** @param {any} dispatch @param {string} kind @param {any} body @param {Context} context */
function say(dispatch, kind, body, { taps, api }) {
  return taps.put({
    about: dispatch.id,
    kind,
    method: "POST",
    path: `${api.base}/dispatches/${dispatch.id}/${kind}`,
    body,
  }, true);
}

/** What it costs, line by line. @param {any} dispatch @param {any} price @param {Context} context */
export function priceCard(dispatch, price, context) {
  const lines = price?.price_lines || dispatch.price_lines || dispatch.offer.price_lines;
  const total = price?.price_cents ?? dispatch.offer.price_cents;
  const disputes = (price?.disputes || []).map((/** @type {any} */ each) =>
    h(
      "li",
      {},
      `${t(`price.${each.kind}`)}, ${money(each.cents)}: ${t(`dispute.${each.outcome}`)}`,
      each.reason ? h("p", { class: "soft" }, each.reason) : null,
    )
  );
  return h(
    "details",
    { class: "card" },
    h("summary", { dataset: { at: "price" } }, t("ride.price"), ` · ${money(total)}`),
    priceTable(lines, total),
    disputes.length ? h("ul", { class: "cards" }, disputes) : null,
    h("button", {
      onclick: () => void dispute(dispatch.id, lines, `/dispatches/${dispatch.id}/price/disputes`, context),
    }, t("dispute.act")),
  );
}
