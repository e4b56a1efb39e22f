/**
 * A small table: all of its rows are elements. For long ones there is the grid.
 * @module
 */

import { csv, saveCsv } from "../core/csv.js";
import { fill, h } from "../core/dom.js";
import { button } from "./view.js";

/** @typedef {import("../core/dom.js").Child} Child */

/**
 * @template R
 * @typedef {object} TableColumn
 * @property {string} name in the CSV
 * @property {string} says heading
 * @property {(row: R) => string | number | null | undefined} [value] what stands in the CSV; left out: it is none
 * @property {(row: R) => Child} [show] what is seen, if not the value
 * @property {boolean} [end] numbers stand at the end
 */

/**
 * @template R
 * @typedef {object} TableOptions
 * @property {string} label
 * @property {TableColumn<R>[]} columns
 * @property {R[]} rows
 * @property {string} file name of its CSV
 * @property {Child} [empty]
 * @property {(row: R) => string} [tone]
 */

/**
 * @template R
 * @param {TableOptions<R>} options
 */
export function table(options) {
  const { label, columns, rows } = options;
  if (!rows.length) return h("p", { class: "soft" }, options.empty || "Nothing here.");
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, label),
      h(
        "thead",
        {},
        h("tr", {}, columns.map((each) => h("th", { scope: "col", class: each.end ? "number" : "" }, each.says))),
      ),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", { class: options.tone?.(row) || "" }, columns.map((each) => cell(each, row)))),
      ),
    ),
  );
}

/**
 * @template R
 * @param {TableColumn<R>} column
 * @param {R} row
 */
function cell(column, row) {
  const made = h("td", { class: column.end ? "number" : "" });
  fill(made, column.show ? column.show(row) : column.value?.(row) ?? "");
  return made;
}

/**
 * The button that hands a table out as a file.
 * @template R
 * @param {TableOptions<R>} options
 */
export function csvButton(options) {
  return button("CSV", () => save(options), {
    class: "quiet",
    title: `Save as ${options.file}.csv`,
    "aria-label": `${options.label} as CSV`,
    disabled: !options.rows.length,
  });
}

/**
 * @template R
 * @param {TableOptions<R>} options
 */
export function save(options) {
  const columns = options.columns.filter((each) => each.value);
  const rows = options.rows.map((row) => columns.map((each) => each.value?.(row)));
  saveCsv(options.file, csv(columns.map((each) => each.name), rows));
}
