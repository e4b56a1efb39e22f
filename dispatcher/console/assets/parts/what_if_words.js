/**
 * A change in words.
 * @module
 */

import { asText } from "./draft.js";
import { words } from "./state.js";
import { sentence } from "./words.js";

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

/** What each figure is. @type {Record<string, string>} */
const FIGURES = {
  matched: "Requests with a vendor",
  urgent_matched: "Urgent requests with a vendor",
  moved: "Requests with another vendor or start",
  gained: "Requests that gain a vendor",
  lost: "Requests that lose theirs",
  late: "Vendors that come late",
  declined: "Offers declined or not answered",
  outside_window: "Starts outside the wished windows, all together",
  cost_per_request: "Price of a request, on average",
  in_sequence: "Begin in sequence",
  broken: "Begin out of sequence",
  will_call_p90: "Passengers who call wait: one in ten longer than",
  start_shift_p50: "Starts move: half of them by less than",
  start_shift_p95: "Starts move: one in twenty by more than",
  use_p10: "Capacity used: a tenth of the vendors less than",
  use_p50: "Capacity used: half of the vendors less than",
  use_p90: "Capacity used: a tenth of the vendors more than",
  largest_share: "Of all requests, those of the vendor with most",
  slack_two_hours: "Capacity free in two hours",
  solve_ms: "Time that a solve takes",
  gap: "Above the proven bound, at most",
};

/** A figure in words. @param {string} name */
export const figureSays = (name) => FIGURES[name] || sentence(words(name));
