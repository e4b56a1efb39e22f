/**
 * What-if.
 * @module
 */

import { h } from "../core/dom.js";
import { empty } from "../parts/figure.js";

export const title = "What-if";

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  root.append(
    h("h1", {}, title),
    empty(`${title} of ${context.market} is not here yet.`, "The same data is in the API: /docs."),
  );
}
