/**
 * A list that is narrowed by words and by chips with live counts; both stand in the address.
 * @module
 */

import { h, settled } from "../core/dom.js";
import { Chips } from "./chips.js";

/**
 * @template R
 * @typedef {object} Narrowed
 * @property {string} which what the chips choose, for who does not see it
 * @property {string} find the field's label, for the same
 * @property {string} hint
 * @property {(row: R) => string} text in which the words are looked for
 * @property {() => void} changed
 */

/** @template R */
export class Narrowing {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {Record<string, { says: string, fits: (row: R) => boolean }>} filters
   * @param {Narrowed<R>} of
   */
  constructor(context, filters, of) {
    this.filters = filters;
    this.of = of;
    this.chips = new Chips(of.which, (on) => {
      context.setQuery({ only: [...on].join(",") || null });
      of.changed();
    });
    this.chips.set((context.query.get("only") || "").split(",").filter((each) => each in filters));
    this.find = h("input", {
      type: "search",
      placeholder: of.hint,
      "aria-label": of.find,
      value: context.query.get("find") || "",
      oninput: settled(() => {
        context.setQuery({ find: this.find.value });
        of.changed();
      }),
    });
  }

  /** What the words find, and what of that the chips show; the chips count it. @param {R[]} rows */
  narrow(rows) {
    const word = this.find.value.trim().toLowerCase(), filters = Object.entries(this.filters);
    const found = word ? rows.filter((row) => this.of.text(row).toLowerCase().includes(word)) : rows;
    this.chips.show(filters.map(([value, { says, fits }]) => ({ value, says, count: found.filter(fits).length })));
    const on = [...this.chips.on].map((each) => this.filters[each]);
    return { found, shown: found.filter((row) => on.every((each) => each.fits(row))) };
  }
}
