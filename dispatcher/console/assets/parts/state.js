/**
 * States and other codes as a person reads them: a mark with its word, never a colour alone.
 * @module
 */

import { words } from "../core/codes.js";
import { h } from "../core/dom.js";

export { words };

/**
 * A state with its mark: its colour, and a shape that tells it to every kind of eye.
 * @param {string} state
 * @param {string} [says]
 */
export function stateMark(state, says = words(state)) {
  return h("span", { class: "state", dataset: { state } }, says);
}

/** $12.50 @param {number} cents */
export function money(cents) {
  const much = (Math.abs(cents) / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${cents < 0 ? "−" : ""}$${much}`;
}
