/**
 * The map in words: its table, what is said of one request, and of none.
 * @module
 */

import { h } from "../../core/dom.js";
import { stateMark, words } from "../state.js";
import { atRisk, RISKS, why } from "../words.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

/** The table beside it. @param {Context} context @param {() => number} now @param {(id: string) => void} pick */
export function listOptions(context, now, pick) {
  const { zone } = context;
  return {
    label: "Requests on the map",
    file: `map-${context.market}`,
    key: (/** @type {Row} */ row) => row.id,
    open: (/** @type {Row} */ row) => pick(row.id),
    empty: "Nothing in view. Zoom out, or take filters away.",
    columns: [
      {
        name: "id",
        says: "Request",
        width: 148,
        value: (/** @type {Row} */ row) => row.id,
        show: (/** @type {Row} */ row) => h("a", { href: context.href("request", [row.id]) }, row.id),
      },
      {
        name: "state",
        says: "State",
        width: 94,
        value: (/** @type {Row} */ row) => row.state,
        show: (/** @type {Row} */ row) => stateMark(row.state),
      },
      {
        name: "earliest",
        says: "From",
        width: 88,
        value: (/** @type {Row} */ row) => row.earliest,
        show: (/** @type {Row} */ row) => zone.moment(row.earliest, now()),
      },
      { name: "vendor", says: "Vendor", width: 84, value: (/** @type {Row} */ row) => row.vendor },
      { name: "class", says: "Level", width: 88, value: (/** @type {Row} */ row) => words(row.class) },
      {
        name: "risk",
        says: "At risk",
        width: 110,
        value: (/** @type {Row} */ row) => atRisk(row, now()) ? RISKS[row.risk] || words(row.risk) : "",
      },
    ],
  };
}

/** What is said of a request where the pointer rests. @param {Row} row @param {Context} context @param {number} now */
export function tip(row, context, now) {
  const { zone } = context;
  const lines = [
    h("strong", {}, row.id),
    h("div", {}, stateMark(row.state), row.vendor ? ` ${row.vendor}` : ""),
    h("div", {}, `${words(row.class)} · ${zone.moment(row.earliest, now)}–${zone.time(row.latest)}`),
    atRisk(row, now) && h("div", {}, `${RISKS[row.risk] || words(row.risk)}: ${why(row)}`),
  ];
  return lines.filter(Boolean);
}

/** Why the table is empty. @param {import("./wish.js").Wish} wish @param {boolean} any whether there is a request at all @param {boolean} wanted whether any is wanted */
export function emptySays(wish, any, wanted) {
  if (!any) return "No request is open. What is submitted stands here at once.";
  if (wish.vendor && !wanted) {
    return `${wish.vendor} has no such work on this day. Its area is outlined; take filters away.`;
  }
  return "Nothing in view. Zoom out (0 shows all), or take filters away.";
}
