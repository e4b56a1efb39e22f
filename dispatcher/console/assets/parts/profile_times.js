/**
 * When a profile holds, in words and as the service takes it.
 * @module
 */

/** @param {FormData} form @param {string} today */
export function timeOf(form, today) {
  const kind = form.get("kind"), text = (/** @type {string} */ name) => String(form.get(name) || "").trim();
  return {
    profile: text("profile"),
    ...kind === "days" ? { days: text("days").split(/[\s,]+/).filter(Boolean) } : {},
    ...kind === "rule" ? { rule: text("rule"), since: today } : {},
    ...kind === "holidays" ? { holidays: text("holidays") } : {},
    from_minute: minuteOf(text("from")),
    until_minute: minuteOf(text("until")),
  };
}

/** @param {string} clock */
function minuteOf(clock) {
  const [hours, minutes] = clock.split(":").map(Number);
  return hours * 60 + (minutes || 0);
}

/** @param {number} minute */
export function clockOf(minute) {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** @param {any} row */
export function daysOf(row) {
  return [
    ...(row.days || []),
    row.rule && `${row.rule} since ${row.since}`,
    row.holidays && `holidays of ${row.holidays}`,
  ].filter(Boolean).join(", ");
}
