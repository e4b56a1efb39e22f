/**
 * What needs somebody, in the order in which it does.
 * @module
 */

import { atRisk } from "./words.js";

/** @typedef {import("../core/store.js").Row} Row */
/**
 * `due`: of a request at risk its own time limit, for it can still be saved; else when its first task is due; 0: never.
 * @typedef {{ key: string, risk: string, due: number, row?: Row, tasks: any[] }} Item
 */

/**
 * What needs somebody: requests at risk, with their tasks; and tasks of what is not at risk itself.
 * @param {Row[]} rows
 * @param {any[]} tasks
 * @param {number} now
 * @returns {Item[]}
 */
export function queue(rows, tasks, now) {
  /** @type {Map<string, any[]>} */
  const byRequest = new Map();
  for (const each of tasks) {
    const key = each.request_id || each.id; // one that is no request's stands for itself
    byRequest.set(key, [...(byRequest.get(key) || []), each]);
  }
  /** @type {Item[]} */
  const items = [];
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    if (atRisk(row, now)) {
      const own = byRequest.get(row.id) || [];
      items.push({ key: row.id, risk: row.risk, due: row.due || first(...own.map(dueMs)), row, tasks: own });
    }
  }
  const had = new Set(items.map((each) => each.key));
  for (const [id, own] of byRequest) {
    if (!had.has(id)) {
      items.push({
        key: id,
        risk: "task",
        due: first(...own.map(dueMs)),
        row: byId.get(id),
        tasks: own,
      });
    }
  }
  return items.sort((a, b) => pressing(a) - pressing(b) || a.due - b.due || a.key.localeCompare(b.key));
}

/** Whether its time limit is over, or a task's of it. @param {Item} item @param {number} now */
export const isLate = (item, now) => [item.due, ...item.tasks.map(dueMs)].some((each) => each && each < now);

/** @param {any} task @returns {number} */
export const dueMs = (task) => Date.parse(task.due_at);

/** The first of these times; 0: there is none. @param {...number} times */
function first(...times) {
  const known = times.filter(Boolean);
  return known.length ? Math.min(...known) : 0;
}

/** What can still be saved before what is over; then stat and asap; else what is due first. @param {Item} item */
function pressing(item) {
  const rank = ["stat", "asap", "urgent"].indexOf(item.row?.priority || "");
  return (rank < 0 ? 3 : rank) + (item.risk === "task" ? 4 : 0);
}
