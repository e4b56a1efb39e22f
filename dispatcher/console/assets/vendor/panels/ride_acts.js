/**
 * What may be said of a dispatch next, and how it stands with what is on its way.
 * @module
 */

import { t } from "../core/messages.js";
import { choose } from "./sheet.js";

/** @typedef {import("../core/app.js").Context} Context */

const ORDER = ["", "en_route", "at_pickup", "on_board"];
const AT_DOOR = ["NO_CLIENT", "CANCEL_AT_DOOR", "NOT_READY"];
const NOT_DONE = [
  "UNABLE_TO_SERVICE_TRIP",
  "BAD_WEATHER",
  "CANCEL_AT_DOOR",
  "NOT_READY",
  "INVALID_PICKUP_ADDRESS",
  "OTHER",
];
const BACK = ["NO_VEHICLES_AVAILABLE", "UNABLE_TO_SERVICE_TRIP", "BAD_WEATHER", "PROVIDER_ADMIN_CANCEL", "OTHER"];
/** Why it ended otherwise, by how. @type {Record<string, string[]>} */
const CODES = { no_show: AT_DOOR, failed: NOT_DONE, turned_back: BACK };

/**
 * The status, with what was tapped and is on its way.
 * @param {any} dispatch
 * @param {import("../core/taps.js").Taps} taps
 * @returns {{ status: string, waits: boolean }}
 */
export function statusOf(dispatch, taps) {
  if (dispatch.offer.state === "cancelled") return { status: "cancelled", waits: false };
  const tapped = taps.of(dispatch.id).filter((each) => each.kind === "status" && !each.refused).at(-1);
  return { status: tapped?.value || dispatch.status || "", waits: Boolean(tapped) };
}

/** The step that is usually next. @param {any} dispatch @param {string} status */
export function next(dispatch, status) {
  if (dispatch.offer.kind !== "trip" && status === "at_pickup") return "completed";
  const place = ORDER.indexOf(status);
  return place < 0 ? "" : ORDER[place + 1] || "completed";
}

/** What a step's button says. @param {any} dispatch @param {string} status */
export function saying(dispatch, status) {
  return t(status === "completed" && dispatch.offer.kind !== "trip" ? "act.delivered" : `act.${status}`);
}

/** Steps that end it otherwise. @param {string} status */
export function otherwise(status) {
  return status === "on_board" ? ["failed"] : ["no_show", "failed", "turned_back"];
}

/**
 * Say it; it goes out in ten seconds, unless it is undone.
 * @param {any} dispatch
 * @param {string} status
 * @param {Context} context
 */
export async function report(dispatch, status, { taps, api, clock, times }) {
  const codes = CODES[status];
  const code = codes && await choose(t("why.title"), codes.map((each) => [each, t(`code.${each}`)]));
  if (codes && !code) return;
  const body = { status, at: new Date(clock.now()).toISOString(), ...(code ? { code } : {}) };
  const path = `${api.base}/dispatches/${dispatch.id}/status`;
  const label = times.moment(dispatch.offer.start_at, clock.now());
  await taps.put({ about: dispatch.id, label, kind: "status", value: status, method: "POST", path, body }, true);
}
