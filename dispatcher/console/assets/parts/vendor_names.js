/**
 * The vendors of a market as the choices of a field.
 * @module
 */

import { h } from "../core/dom.js";

/** Page by page, as they are read. @param {import("../core/app.js").Context} context */
export async function* vendorNames({ api, signal }) {
  for await (const { vendors } of api.pages("/vendors", { limit: 200 }, signal)) {
    for (const { vendor } of vendors) yield h("option", { value: vendor.id }, vendor.name);
  }
}
