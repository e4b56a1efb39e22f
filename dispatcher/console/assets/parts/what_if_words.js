/**
 * A change in words.
 * @module
 */

import { asText } from "./draft.js";

/** @param {any} change */
export function changeInWords(change) {
  const parts = [
    ...Object.entries(change.values || {}).map(([name, value]) => `${name} ${asText(/** @type {any} */ (value))}`),
    (change.rules_off || []).length && `without ${change.rules_off.join(", ")}`,
    (change.pause || []).length && `${change.pause.join(", ")} paused`,
    (change.resume || []).length && `${change.resume.join(", ")} resumed`,
    (change.add || []).length && `${change.add.length} vendors more`,
    change.capacity_percent && `capacity ${change.capacity_percent > 0 ? "+" : ""}${change.capacity_percent} %`,
  ].filter(Boolean);
  return parts.join("; ") || "nothing changed";
}
