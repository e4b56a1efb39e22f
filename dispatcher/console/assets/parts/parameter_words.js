/**
 * Of parameters in words: changes as a table, what a nudge would move, where each is read.
 * @module
 */

import { h } from "../core/dom.js";
import { asText } from "./draft.js";
import { table } from "./table.js";

/** Where it is read. @param {any} told @param {import("./draft.js").Parameter} parameter */
export function readIn(told, parameter) {
  return told?.read_by?.length ? told.read_by.join(", ") : parameter.scope;
}

/** What it would move, nudged down and up. @param {any} told */
export function effectOf(told) {
  const nudges = [told?.effect?.down, told?.effect?.up].filter(Boolean);
  if (!nudges.length) return null;
  return h(
    "span",
    { class: "effect" },
    nudges.map((/** @type {any} */ each) => h("span", {}, `at ${each.value}: ${moved(each)}`)),
  );
}

/** @param {any} nudge */
function moved(nudge) {
  const changed = nudge.moved + nudge.gained + nudge.lost;
  if (!changed) return "nothing moves";
  const parts = [
    nudge.moved && `${nudge.moved} move`,
    nudge.gained && `${nudge.gained} gain`,
    nudge.lost && `${nudge.lost} lose a vendor`,
  ];
  return `${parts.filter(Boolean).join(", ")}${nudge.anyway ? `; ${nudge.anyway} of them by chance` : ""}`;
}

/**
 * From what to what.
 * @param {{ name: string, unit: string, before: import("./draft.js").Value, after: import("./draft.js").Value }[]} changes
 * @param {string} [label] where several stand on a page, each is of something
 */
export function diffTable(changes, label = "Changes") {
  return table({
    label,
    file: "changes",
    rows: changes,
    empty: "Nothing changes.",
    columns: [
      {
        name: "name",
        says: "Parameter",
        value: (row) => row.name,
        show: (row) => h("span", { class: "mono" }, row.name),
      },
      {
        name: "before",
        says: "From",
        value: (row) => asText(row.before),
        show: (row) => h("span", { class: "was" }, asText(row.before) || "none"),
        end: true,
      },
      {
        name: "after",
        says: "To",
        value: (row) => asText(row.after),
        show: (row) => h("strong", {}, asText(row.after) || "none"),
        end: true,
      },
      { name: "unit", says: "Unit", value: (row) => row.unit },
    ],
  });
}
