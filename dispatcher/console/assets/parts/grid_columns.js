/**
 * The columns of a grid: headings, widths, and the order that one of them makes.
 * @module
 */

import { csv, saveCsv } from "../core/csv.js";
import { h } from "../core/dom.js";

/** @typedef {import("../core/dom.js").Child} Child */

/**
 * @template R
 * @typedef {object} Column
 * @property {string} name
 * @property {string} says heading
 * @property {number} width pixels
 * @property {number} [least] to which it gives way where that makes room for all columns; none: it does not
 * @property {boolean} [grows] it takes what is left; none does: the last
 * @property {(row: R) => string | number} value what stands in the CSV, and what it sorts by
 * @property {(row: R) => string | number} [sort] what it sorts by, if not the value
 * @property {(row: R) => Child} [show] what is seen, if not the value
 * @property {boolean} [end] numbers stand at the end
 * @property {string} [title] what the heading means
 * @property {number} [below] on a phone: so many lines below the others, as wide as the page
 */

/**
 * @template R
 * @typedef {object} GridOptions
 * @property {string} label what the table is of
 * @property {Column<R>[]} columns
 * @property {(row: R) => string} key
 * @property {(row: R) => void} [open] Enter, or two clicks; one click, if nothing hears `moved`
 * @property {(row: R | undefined) => void} [moved] the keyboard, or a click, has come to a row
 * @property {(keys: Set<string>) => void} [select] Space, or the box; left out: nothing can be chosen
 * @property {(row: R) => string} [tone] a class of the row
 * @property {Node | string} [empty] what it says when there is nothing
 * @property {string} [file] name of its CSV
 * @property {{ name: string, down: boolean }} [sort]
 * @property {(sort: { name: string, down: boolean } | null) => void} [sorted]
 */

/** @typedef {{ name: string, down: boolean } | null} Sort */

/**
 * The rows as a column sorts them; without one as they came.
 * @param {any[]} rows
 * @param {Column<any>[]} columns
 * @param {Sort} sort
 */
export function sorted(rows, columns, sort) {
  const column = sort && columns.find((each) => each.name === sort.name);
  if (!column) return [...rows];
  const sign = sort?.down ? -1 : 1;
  return rows.map((row) => [(column.sort || column.value)(row), row]).sort((a, b) => sign * compared(a[0], b[0])).map(
    (each) => each[1],
  );
}

/** All rows as a file, in that order. @param {GridOptions<any>} options @param {any[]} rows @param {Sort} sort */
export function saved({ columns, file = "table" }, rows, sort) {
  const values = sorted(rows, columns, sort).map((row) => columns.map((column) => column.value(row)));
  saveCsv(file, csv(columns.map((each) => each.name), values));
}

/** @param {string | number} a @param {string | number} b */
function compared(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

/**
 * The headings, each a button that sorts.
 * @param {GridOptions<any>} options
 * @param {Sort} sort
 * @param {(name: string) => void} sortBy
 */
export function headings(options, sort, sortBy) {
  const first = options.select ? 1 : 0; // the column of what is chosen
  const heads = options.columns.map((column, at) => {
    const on = sort?.name === column.name;
    const button = h(
      "button",
      { type: "button", title: column.title, onclick: () => sortBy(column.name) },
      column.says,
      on && h("span", { class: "sort", "aria-hidden": "true" }, sort?.down ? "▾" : "▴"),
    );
    return h("div", {
      role: "columnheader",
      class: `${column.end ? "end" : ""}${column.below ? "below" : ""}`,
      "aria-sort": on ? (sort?.down ? "descending" : "ascending") : "none",
      "aria-colindex": at + 1 + first,
    }, button);
  });
  const chosen = h("div", { role: "columnheader", "aria-colindex": 1 }, h("span", { class: "unseen" }, "Chosen"));
  return first ? [chosen, ...heads] : heads;
}

export const ROW_PX = 28;
const LINE_PX = 18;

/** Whether there is room for a phone's columns only. */
const isNarrow = () => matchMedia("(max-width: 720px)").matches;

/**
 * How wide the columns that stand beside one another are, and all of them at least. They give way if all have room then.
 * @param {GridOptions<any>} options
 * @param {number} room pixels
 */
function widthsOf({ columns, select }, room) {
  const beside = columns.filter((each) => !each.below || !isNarrow()), box = select ? 32 : 0;
  const grows = beside.findIndex((each) => each.grows), last = beside.length - 1;
  const sum = (/** @type {(each: Column<any>) => number} */ of) => beside.reduce((sum, each) => sum + of(each), box);
  const narrow = (/** @type {Column<any>} */ each) => each.least || each.width;
  const least = sum(narrow) <= room ? narrow : (/** @type {Column<any>} */ each) => each.width;
  const widths = beside.map((each, at) =>
    `minmax(${least(each)}px, ${at === (grows < 0 ? last : grows) ? "1fr" : `${each.width}px`})`
  );
  return { columns: (box ? `${box}px ` : "") + widths.join(" "), least: `${sum(least)}px` };
}

/**
 * Give a table its widths and the height of its rows, which it tells (px).
 * @param {import("./grid.js").Grid} table
 */
export function laidOut(table) {
  const { options } = table, high = rowPx(options);
  const { columns, least } = widthsOf(options, table.frame.clientWidth);
  table.style.setProperty("--columns", columns);
  table.style.setProperty("--least", least);
  table.style.setProperty("--row", `${high}px`);
  return high;
}

/** How high a row is. @param {GridOptions<any>} options */
function rowPx({ columns }) {
  return ROW_PX + (isNarrow() ? LINE_PX * columns.reduce((sum, each) => sum + (each.below || 0), 0) : 0);
}

/** What is cut off is told whole where the pointer rests. @param {HTMLElement} cell */
export function whole(cell) {
  if (cell.role === "gridcell") cell.title = cell.scrollWidth > cell.clientWidth ? cell.textContent || "" : "";
}

/** Keys of the list itself, so that `?` tells of them. @param {boolean} many whether rows are chosen */
export function listKeys(many) {
  const own = many ? { "↵": "Open it", Space: "Choose it", "Shift+↑↓": "Choose along the way" } : { "↵": "Open it" };
  return Object.entries(own).map(([key, says]) => ({ key, says, group: "In the list", act: () => {} }));
}

/** An empty row. @param {GridOptions<any>} options */
export function newRow({ columns, select }) {
  const made = h("div", { role: "row", class: "grid-row" });
  if (select) made.append(h("div", { role: "gridcell", class: "box", "aria-colindex": 1 }));
  let line = 2; // of those that a phone has below the others
  columns.forEach((column, at) => {
    const cell = h("div", {
      role: "gridcell",
      class: `${column.end ? "end" : ""}${column.below ? "below" : ""}`,
      "aria-colindex": at + 1 + (select ? 1 : 0),
    });
    if (column.below) {
      cell.style.setProperty("--line", String(line++));
      cell.style.setProperty("--lines", String(column.below));
    }
    made.append(cell);
  });
  return made;
}
