/**
 * What of a market is on the map: from the address, and back to it.
 * @module
 */

import { toneOf, TONES } from "./points.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

export const LEVELS = [
  "ambulatory",
  "wheelchair",
  "bariatric_wheelchair",
  "stretcher",
  "bls",
  "als",
  "cct",
  "equipment",
];

/** What is shown, from the address and back to it. */
export class Wish {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    const { query } = context;
    const known = (/** @type {string} */ name, /** @type {string[]} */ values) =>
      values.includes(query.get(name) || "") ? query.get(name) || "" : "";
    const tones = (query.get("tones") || "").split(",");
    this.tones = new Set(tones.filter((each) => TONES.some(({ tone }) => tone === each)));
    this.hide = query.get("hide") === "assigned";
    this.kind = known("kind", ["trip", "equipment"]);
    this.cover = known("cover", ["any", ...LEVELS]);
    this.vendor = query.get("vendor") || "";
    this.picked = new Set((query.get("pick") || "").split(",").filter(Boolean));
  }

  keep() {
    const picked = [...this.picked];
    this.context.setQuery({
      tones: [...this.tones].join(","),
      hide: this.hide ? "assigned" : "",
      kind: this.kind,
      cover: this.cover,
      vendor: this.vendor,
      pick: picked.length <= 20 ? picked.join(",") : "",
    });
  }

  /** Of a vendor, its work of the day that is shown. @param {Row} row @param {Context["zone"]} zone @param {string} day */
  isWork(row, zone, day) {
    return !this.vendor || row.vendor === this.vendor && zone.date(row.start || row.earliest) === day;
  }

  /** @param {Row} row */
  wants(row) {
    const tone = toneOf(row.state);
    return (!this.tones.size || this.tones.has(TONES[tone].tone)) && (!this.hide || TONES[tone].waits) &&
      (!this.kind || row.kind === this.kind);
  }
}
