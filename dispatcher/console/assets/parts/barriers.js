/**
 * Barriers: why care did not come, counted by code, facility, vendor, class and week; no count tells of one patient.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { csvButton, table } from "./table.js";
import { heading, reading, section, tabs, words } from "./view.js";

/** @type {[string, string][]} */
const WAYS = [
  ["by_code", "Barrier"],
  ["by_facility", "Facility"],
  ["by_vendor", "Vendor"],
  ["by_service_class", "Class of service"],
  ["by_week", "Week"],
];

/** How often which of them. */
export class Barriers {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    this.body = h("div", { class: "page-part" });
    root.append(heading("Care"), sides(context, "barriers"), this.body);
    void this.read();
    this.stop = bind([{ key: "r", says: "Read again", act: () => void this.read() }]);
  }

  read() {
    const { api, signal } = this.context;
    const query = Object.fromEntries(this.context.query);
    return reading(this.body, signal, () => api.get("/patterns", query, signal), (found) => this.draw(found));
  }

  /** @param {any} found */
  draw(found) {
    return [
      h(
        "p",
        { class: "soft" },
        `Requests that ended without their service, ${found.since_week} to ${found.until_week} (ISO weeks, UTC). Counts are told in steps of ${found.least}, so that nobody can be told by one.`,
      ),
      h("div", { class: "columns" }, WAYS.map(([name, says]) => this.way(name, says, found[name] || []))),
    ];
  }

  /** @param {string} name @param {string} says @param {any[]} rows */
  way(name, says, rows) {
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: `Barriers by ${says.toLowerCase()}`,
      file: `barriers-${name}`,
      rows,
      empty: "Too few to tell.",
      columns: [
        { name: "name", says, value: (row) => row.name || "none", show: (row) => this.narrowed(name, row.name) },
        { name: "count", says: "About", value: (row) => row.count, end: true },
      ],
    };
    return section(says, csvButton(options), table(options));
  }

  /** Its name leads to the counts of it alone. @param {string} way @param {string} name */
  narrowed(way, name) {
    const query =
      { by_code: "code", by_facility: "facility", by_vendor: "vendor_id", by_service_class: "service_class" }[way];
    if (!query || !name) return words(name || "none");
    return h("a", { href: this.context.href("care", ["barriers"], { [query]: name }) }, words(name));
  }
}

/** The two sides of the page. @param {import("../core/app.js").Context} context @param {string} current */
export function sides(context, current) {
  return tabs("Care", [
    { name: "episodes", says: "Episodes", href: context.href("care") },
    { name: "authorizations", says: "Authorizations", href: context.href("care", ["authorizations"]) },
    { name: "barriers", says: "Barriers", href: context.href("care", ["barriers"]) },
  ], current);
}
