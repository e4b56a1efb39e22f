/**
 * The keyboard on a grid: from row to row, to its first row from anywhere on the page and from a field that narrows it.
 * @module
 */

import { bind, holdKeys, playKeys } from "../core/keys.js";

/** @typedef {import("./grid.js").Grid} Grid */

/** Keys of the page for as long as the grid is on it. @param {Grid} table */
export function rowKeys(table) {
  return bind([
    { key: "j", says: "The next row", act: () => lead(table, table.current + (table.isFocused ? 1 : 0)) },
    { key: "k", says: "The row before", act: () => lead(table, table.current - 1) },
  ]);
}

/**
 * To a row. Before there are any: to the first, once it is there, unless who pressed is elsewhere by then; what is
 * pressed meanwhile is for it.
 * @param {Grid} table @param {number} at
 */
function lead(table, at) {
  if (table.stamp) return table.go(at);
  holdKeys();
  table.arrived = () => {
    if ((document.activeElement || document.body).contains(table)) table.go(0);
    playKeys();
  };
}

/** Enter and ↓ lead from a field to the rows, Escape to the page. @param {HTMLInputElement} field @param {Grid} table */
export function leadsTo(field, table) {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") field.blur();
    if (event.key === "Enter" || event.key === "ArrowDown") table.go(0);
  });
}

/** A key in a row. @param {Grid} table @param {KeyboardEvent} event */
export function pressed(table, event) {
  const { options, current } = table;
  if (event.ctrlKey || event.metaKey || event.altKey || table.head.contains(/** @type {Node} */ (event.target))) return;
  const page = Math.max(1, Math.floor(table.frame.clientHeight / table.rowPx) - 2);
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
  if (event.key in steps) {
    if (event.shiftKey && options.select) table.toggle(current, true);
    table.go(current + steps[event.key]);
    if (event.shiftKey && options.select) table.toggle(table.current, true);
  } else if (event.key === "Enter") options.open?.(table.order[current]);
  else if (event.key === " " && options.select) table.toggle(current);
  else if (event.key === "Escape" && table.chosen.size) table.choose([]);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
