/**
 * One request of a decision: who was a candidate at which cost, who came next, whom which rule excluded.
 * @module
 */

import { h } from "../core/dom.js";
import { words } from "./state.js";
import { csvButton, table } from "./table.js";
import { dollars, number, section } from "./view.js";

/**
 * What a plan decided on one request: chosen by which terms, what stood next, who was excluded.
 * @param {import("../core/app.js").Context} context
 * @param {any} row
 * @param {any | null} decision
 */
export function rowPanel(context, row, decision) {
  const { zone, clock } = context, chosen = row.chosen;
  const moment = (/** @type {string} */ at) => zone.moment(Date.parse(at), clock.now());
  const terms = {
    ...tableOf("Cost by term", "terms", chosen?.terms || []),
    columns: [
      { name: "rule", says: "Term", value: (/** @type {any} */ each) => words(each.rule) },
      {
        name: "cost_cents",
        says: "Cost",
        value: (/** @type {any} */ each) => each.cost_cents,
        show: (/** @type {any} */ each) => dollars(each.cost_cents),
        end: true,
      },
    ],
  };
  const runners = {
    ...tableOf("Next best", "runners-up", row.runners_up || []),
    empty: "No other vendor had a candidate.",
    columns: [
      { name: "vendor_id", says: "Vendor", value: (/** @type {any} */ each) => each.vendor_id },
      {
        name: "start_at",
        says: "Start",
        value: (/** @type {any} */ each) => each.start_at,
        show: (/** @type {any} */ each) => moment(each.start_at),
      },
      {
        name: "cost_cents",
        says: "Cost",
        value: (/** @type {any} */ each) => each.cost_cents,
        show: (/** @type {any} */ each) => dollars(each.cost_cents),
        end: true,
      },
      {
        name: "dearer",
        says: "Dearer by",
        value: (/** @type {any} */ each) => chosen ? each.cost_cents - chosen.cost_cents : "",
        show: (/** @type {any} */ each) => chosen ? dollars(each.cost_cents - chosen.cost_cents) : "",
        end: true,
      },
    ],
  };
  const excluded = new Map((row.excluded || []).map((/** @type {any} */ each) => [each.rule, each.vendors]));
  const removed = {
    ...tableOf("Excluded by rule", "excluded", row.removed || []),
    empty: "No rule removed a vendor.",
    columns: [
      { name: "rule", says: "Rule", value: (/** @type {any} */ each) => words(each.rule) },
      { name: "vendors", says: "Vendors", value: (/** @type {any} */ each) => each.vendors, end: true },
      { name: "who", says: "Who", value: (/** @type {any} */ each) => (excluded.get(each.rule) || []).join(" ") },
    ],
  };
  return h(
    "div",
    { class: "page-part" },
    h(
      "p",
      {},
      decision && [h("span", { class: "soft" }, `${words(decision.kind)}, ${moment(decision.at)}: `)],
      chosen
        ? [
          h("strong", {}, chosen.vendor_id),
          ` at ${moment(chosen.start_at)}, cost ${dollars(chosen.cost_cents)}${
            chosen.became ? `; it became: ${words(chosen.became)}` : ""
          }.`,
        ]
        : [
          h("strong", {}, "Left out"),
          row.held_back_by || row.gave_way_to
            ? ` for the sake of ${row.held_back_by || `${row.gave_way_to}, whose group lies behind`}.`
            : row.candidates
            ? ": what it could have had went to others, or cost more than leaving it out."
            : ": no vendor could serve it.",
        ],
    ),
    h(
      "p",
      { class: "soft" },
      `${number(row.candidates)} candidates of ${number(row.vendors)} vendors.${
        row.stood ? " It had an unanswered offer." : ""
      }${fairness(row)}`,
    ),
    chosen && section("Cost by term", csvButton(terms), table(terms)),
    section("Next best", csvButton(runners), table(runners)),
    section("Excluded by rule", csvButton(removed), table(removed)),
  );
}

/** What fairness had to do with it. @param {any} row */
function fairness(row) {
  const before = (row.put_before || []).join(", ");
  const parts = [
    row.behind ? ` Its group lay behind the others by ${number(row.behind)} × the fairness floor.` : "",
    before ? ` It was put before ${before}.` : "",
    row.for_share ? " Its vendor was short of its share: there was a cheaper one." : "",
  ];
  return parts.join("");
}

/** @param {string} label @param {string} file @param {any[]} rows */
function tableOf(label, file, rows) {
  return { label, file, rows };
}

/** @param {any} row */
export function more(row) {
  return row.chosen ? `+${dollars(row.runners_up[0].cost_cents - row.chosen.cost_cents)}` : "";
}

/** @param {any} row */
export function why(row) {
  if (row.chosen) return "";
  if (row.stood) return "its offer stands: no other is better by enough to move it";
  if (row.held_back_by) return `for the sake of ${row.held_back_by}`;
  if (row.gave_way_to) return `for the sake of ${row.gave_way_to}, whose group lies behind`;
  const rules = (row.removed || []).map((/** @type {any} */ each) => `${words(each.rule)} ${each.vendors}`).join(", ");
  return row.candidates
    ? `others took it, or leaving it out was cheaper${rules ? `; ${rules}` : ""}`
    : rules || "no vendor";
}
