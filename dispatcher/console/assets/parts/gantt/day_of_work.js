/**
 * Which day has something to show, where nobody asked for one and nothing is booked today.
 * @module
 */

/** @typedef {import("../../core/app.js").Context} Context */

/**
 * The day to begin with instead of today; "": today has work, or no day has.
 * @param {Context} context
 * @param {import("./cells.js").DayCapacity | null} capacity of today
 * @param {string} today
 */
export async function dayInstead({ store, clock, zone }, capacity, today) {
  const isBooked = capacity?.booked.some((runs) => runs.some((count, at) => at % 2 === 0 && count > 0));
  if (isBooked) return "";
  await read(store);
  const day = dayOfWork(store.rows(), clock.now(), zone);
  return day === today ? "" : day;
}

/**
 * The day of the work of a vendor's that is nearest to now; "": there is none.
 * @param {{ vendor: string, start: number }[]} rows
 * @param {number} now
 * @param {{ date: (ms: number) => string }} zone
 */
export function dayOfWork(rows, now, zone) {
  let nearest = Infinity;
  for (const { vendor, start } of rows) {
    if (vendor && start && Math.abs(start - now) < Math.abs(nearest - now)) nearest = start;
  }
  return nearest === Infinity ? "" : zone.date(nearest);
}

/** Until the market's rows are there. @param {import("../../core/store.js").Store} store */
async function read(store) {
  const { promise, resolve } = Promise.withResolvers();
  const stop = store.onChange(() => resolve(null));
  await promise;
  stop();
}
