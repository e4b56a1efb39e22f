/**
 * Every page: where it stands in the navigation, and the keys that lead to it.
 * @module
 */

/**
 * @typedef {object} Page
 * @property {string} name in the address
 * @property {string} title
 * @property {string} key pressed after `g`; "" it is reached from elsewhere
 * @property {string} group heading in the navigation; "" not in it
 * @property {boolean} [ops] whether it is for ops alone: nobody else is led to it
 */

/** @type {Page[]} */
export const PAGES = [
  { name: "today", title: "Today", key: "t", group: "Watch" },
  { name: "board", title: "Board", key: "b", group: "Watch" },
  { name: "map", title: "Map", key: "m", group: "Watch" },
  { name: "gantt", title: "Gantt", key: "n", group: "Watch", ops: true },
  { name: "past", title: "Time travel", key: "p", group: "Watch" },
  { name: "wall", title: "Wall", key: "l", group: "Watch" },
  { name: "vendors", title: "Vendors", key: "v", group: "Work", ops: true },
  { name: "fairness", title: "Fairness", key: "f", group: "Work", ops: true },
  { name: "care", title: "Care", key: "c", group: "Work" },
  { name: "statements", title: "Statements", key: "s", group: "Work" },
  { name: "tuning", title: "Tuning", key: "u", group: "Set", ops: true },
  { name: "what-if", title: "What-if", key: "w", group: "Set", ops: true },
  { name: "decisions", title: "Decisions", key: "d", group: "Set" },
  { name: "health", title: "Health", key: "h", group: "Keep", ops: true },
  { name: "audit", title: "Audit", key: "a", group: "Keep", ops: true },
  { name: "request", title: "Request", key: "", group: "" },
];

/** @param {string} name */
export function pageNamed(name) {
  return PAGES.find((each) => each.name === name);
}
