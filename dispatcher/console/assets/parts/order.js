/**
 * The order in which requests stand where nobody chose another: what presses first, what has ended last.
 * @module
 */

import { atRisk } from "./words.js";

/** @typedef {import("../core/store.js").Row} Row */

/**
 * What is at risk, the first due first; then what goes on, by its due time or window; then what ended, the latest first.
 * @param {Row[]} rows
 * @param {number} now
 */
export function pressingFirst(rows, now) {
  return rows
    .map((row) => ({
      row,
      part: row.ended ? 2 : atRisk(row, now) ? 0 : 1,
      at: row.ended ? -row.ended : row.due || row.earliest,
    }))
    .sort((a, b) => a.part - b.part || a.at - b.at || (a.row.id < b.row.id ? -1 : 1))
    .map((each) => each.row);
}
