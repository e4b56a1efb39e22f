/**
 * The vendors of a market as the choices of a field.
 * @module
 */

import { h } from "../core/dom.js";

/** Page by page, as they are read. @param {import("../core/app.js").Context} context */
export async function* vendorNames({ api, signal }) {
  for (let cursor = "";;) {
    const page = await api.get("/vendors", { limit: 200, cursor }, signal);
    for (const { vendor } of page.vendors) yield h("option", { value: vendor.id }, vendor.name);
    if (!(cursor = page.cursor)) return;
  }
}
