/**
 * What a what-if found, as tables: what is proven, the figures with their noise, who gains and who loses.
 * @module
 */

import { h } from "../core/dom.js";
import { words } from "./state.js";
import { csvButton, table } from "./table.js";
import { dollars, percent, section } from "./view.js";
import { figureSays } from "./what_if_words.js";

/** @param {any} proof @param {string} id of the what-if */
export function proofTable(proof, id) {
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Proven",
    file: `${id}-proof`,
    rows: [
      { side: "today's settings", cost: proof.before, bound: proof.before_bound },
      { side: "as changed", cost: proof.after, bound: proof.after_bound },
    ],
    columns: [
      { name: "side", says: "Side", value: (row) => row.side },
      { name: "cost", says: "Cost found", value: (row) => row.cost, show: (row) => dollars(row.cost), end: true },
      {
        name: "bound",
        says: "Proven: not below",
        value: (row) => row.bound,
        show: (row) => dollars(row.bound),
        end: true,
      },
    ],
  };
  return section(
    `What is proven: ${proof.verdict}`,
    csvButton(options),
    table(options),
    h(
      "p",
      { class: "hint" },
      "Both in today's cents. Where the spans from bound to cost overlap, neither side is proven to be cheaper.",
    ),
  );
}

/** @param {any[]} figures @param {string} id of the what-if */
export function figuresTable(figures, id) {
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Figures",
    file: `${id}-figures`,
    rows: figures,
    tone: (row) => row.verdict === "no difference" ? "" : "warn",
    columns: [
      { name: "name", says: "Figure", value: (row) => row.name, show: (row) => figureSays(row.name) },
      {
        name: "before",
        says: "Today's",
        value: (row) => row.before,
        show: (row) => shown(row.before, row.unit),
        end: true,
      },
      {
        name: "after",
        says: "As changed",
        value: (row) => row.after,
        show: (row) => shown(row.after, row.unit),
        end: true,
      },
      {
        name: "difference",
        says: "Difference",
        value: (row) => row.after - row.before,
        show: (row) => (row.after > row.before ? "+" : "") + shown(row.after - row.before, row.unit),
        end: true,
      },
      {
        name: "noise",
        says: "Noise up to",
        value: (row) => row.noise,
        show: (row) => shown(row.noise, row.unit),
        end: true,
      },
      {
        name: "verdict",
        says: "So it is",
        value: (row) => row.verdict,
        show: (row) => h("span", { class: `tag ${row.verdict === "no difference" ? "" : "warn"}` }, row.verdict),
      },
    ],
  };
  return section("Figures", csvButton(options), table(options));
}

/** @param {any[]} groups @param {string} id of the what-if */
export function groupTables(groups, id) {
  const ways = [...new Set(groups.map((each) => each.by))];
  return h(
    "div",
    { class: "columns" },
    ways.map((way) => {
      /** @type {import("./table.js").TableOptions<any>} */
      const options = {
        label: `By ${words(way)}`,
        file: `${id}-by-${way}`,
        rows: groups.filter((each) => each.by === way).sort((a, b) => b.lost - a.lost || b.moved - a.moved).slice(
          0,
          40,
        ),
        tone: (row) => row.after < row.before ? "bad" : row.after > row.before ? "good" : "",
        columns: [
          { name: "name", says: words(way), value: (row) => row.name || "none" },
          { name: "before", says: "Today", value: (row) => row.before, end: true },
          { name: "after", says: "Then", value: (row) => row.after, end: true },
          { name: "lost", says: "Lose", value: (row) => row.lost, end: true },
          { name: "gained", says: "Gain", value: (row) => row.gained, end: true },
          { name: "moved", says: "Move", value: (row) => row.moved, end: true },
        ],
      };
      return section(`By ${words(way)}`, csvButton(options), table(options));
    }),
  );
}

/** @param {number} value @param {string} unit */
function shown(value, unit) {
  if (unit === "cents") return dollars(value);
  if (unit === "share") return percent(value);
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
  return `${rounded.toLocaleString("en")}${unit && unit !== "count" ? ` ${unit}` : ""}`;
}
