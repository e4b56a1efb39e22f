/**
 * A price in words: its lines, which add up to it.
 * @module
 */

import { money, words } from "./state.js";

/**
 * What the vendor of a request charges: of the match, else of the last attempt that costs something all the same.
 * @param {any} view
 */
export function priceOf(view) {
  const charged = (view.attempts || []).filter((/** @type {any} */ each) => each.price_lines?.length);
  return priceSays(view.match?.price_lines || charged.at(-1)?.price_lines || []);
}

/** @param {any[]} lines */
function priceSays(lines) {
  const each = lines.map((line) =>
    `${words(line.kind)} ${money(line.cents)}${line.note ? ` (${words(line.note)})` : ""}`
  );
  const total = lines.reduce((sum, line) => sum + line.cents, 0);
  return lines.length > 1 ? `${each.join(" + ")} = ${money(total)}` : each.join("");
}
