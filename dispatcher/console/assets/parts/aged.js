/**
 * A due time that grows old by itself, where it is shown.
 * @module
 */

import { h } from "../core/dom.js";
import { until } from "../core/time.js";

/** @param {number} ms @param {number} now */
export function aged(ms, now) {
  return h("span", { dataset: { due: String(ms) } }, until(ms, now));
}
