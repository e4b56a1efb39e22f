/**
 * A figure that leads to what is behind it.
 * @module
 */

import { keepingFocus } from "../core/focus.js";
import { fill, h } from "../core/dom.js";

/** @typedef {{ value: string | number, says: string, href?: string, tone?: "" | "good" | "warn" | "bad", title?: string }} Figure */

/** @param {Figure} of */
export function figure({ value, says, href, tone = "", title }) {
  const inside = [h("span", { class: "figure-value" }, value), h("span", { class: "figure-says" }, says)];
  return href
    ? h("a", { class: `figure ${tone}`, href, title, dataset: { at: says } }, inside)
    : h("div", { class: `figure ${tone}`, title }, inside);
}

/**
 * Figures in their place, anew under whoever is at one of them.
 * @param {HTMLElement} place
 * @param {...(HTMLElement | false)} figures
 */
export function showFigures(place, ...figures) {
  keepingFocus(place, () => fill(place, ...figures));
}

/**
 * What a page says when it has nothing to show: what it would show, and what to do.
 * @param {string} says
 * @param {...any} doThis
 */
export function empty(says, ...doThis) {
  return h("div", { class: "empty" }, h("p", { class: "empty-says" }, says), h("p", {}, doThis));
}
