/**
 * Whether a request is at risk now: the service says of what and until when, the clock decides.
 * @module
 */

const MINUTE = 60_000;
/** How long before its due time a risk counts; Infinity: at once. @type {Record<string, number>} */
const BEFORE = {
  sequence: Infinity,
  nobody_left: Infinity,
  overdue: Infinity,
  amendment: 10 * MINUTE,
  no_vendor: 60 * MINUTE,
  on_hold: 60 * MINUTE,
  unanswered: 5 * MINUTE,
  report: 0,
};

/**
 * @param {{ risk?: string, due?: number }} row
 * @param {number} now ms
 */
export function isAtRisk(row, now) {
  if (!row.risk) return false;
  const before = BEFORE[row.risk] ?? 0;
  return before === Infinity || Boolean(row.due) && /** @type {number} */ (row.due) - now <= before;
}
