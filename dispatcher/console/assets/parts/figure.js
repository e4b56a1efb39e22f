/**
 * A figure that leads to what is behind it.
 * @module
 */

import { h } from "../core/dom.js";

/**
 * @param {{ value: string | number, says: string, href?: string, tone?: "" | "good" | "warn" | "bad", title?: string }} of
 */
export function figure({ value, says, href, tone = "", title }) {
  const inside = [h("span", { class: "figure-value" }, value), h("span", { class: "figure-says" }, says)];
  return href
    ? h("a", { class: `figure ${tone}`, href, title }, inside)
    : h("div", { class: `figure ${tone}`, title }, inside);
}

/**
 * What a page says when it has nothing to show: what it would show, and what to do.
 * @param {string} says
 * @param {...any} doThis
 */
export function empty(says, ...doThis) {
  return h("div", { class: "empty" }, h("p", { class: "empty-says" }, says), h("p", {}, doThis));
}
