/**
 * Tables as files (RFC 4180), for a spreadsheet that must not take a cell for a formula.
 * @module
 */

/** @param {unknown} value */
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {string[]} names
 * @param {unknown[][]} rows
 */
export function csv(names, rows) {
  return [names, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

const MARK = "\ufeff"; // by it a spreadsheet knows UTF-8: else José becomes JosÃ©

/**
 * Hand a table to the browser, as a file for a spreadsheet.
 * @param {string} name
 * @param {string | Blob} rows
 */
export function saveCsv(name, rows) {
  save(`${name}.csv`, new Blob([MARK, rows], { type: "text/csv;charset=utf-8" }));
}

/**
 * Hand a file to the browser.
 * @param {string} name
 * @param {Blob} content
 */
export function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
