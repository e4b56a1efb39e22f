/**
 * What is filled in, with what it is called.
 * @module
 */

import { h } from "../../core/dom.js";

/** A labelled field. @param {string} label @param {HTMLElement} control @param {string} [hint] */
export function field(label, control, hint) {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "label" }, label),
    control,
    hint && h("span", { class: "soft" }, hint),
  );
}
