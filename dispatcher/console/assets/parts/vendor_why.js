/**
 * Why a vendor gets no offers: what it lost to which rule in the last days, and what would change that.
 * @module
 */

import { h } from "../core/dom.js";
import { csvButton, table } from "./table.js";
import { section, words } from "./view.js";

/** @param {string} id @param {any} why */
export function whyNoOffers(id, why) {
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Lost to rules",
    file: `${id}-why`,
    rows: why.lost,
    empty: "It lost nothing to a rule.",
    columns: [
      { name: "rule", says: "Rule", value: (row) => words(row.rule) },
      { name: "requests", says: "Requests", value: (row) => row.requests, end: true },
      { name: "says", says: "Because", value: (row) => row.says },
      {
        name: "remedies",
        says: "What would help",
        value: (row) => row.remedies.map((/** @type {any} */ each) => `${each.says}: ${each.requests}`).join("; "),
      },
    ],
  };
  return section(
    "Why no offers, the last 7 days",
    csvButton(options),
    h(
      "p",
      { class: "soft" },
      `${why.decided} requests were decided: ${why.offered} were offered to it, ${why.others} went to others though it could have had them.`,
    ),
    table(options),
  );
}
