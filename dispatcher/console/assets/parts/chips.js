/**
 * Filters as chips with live counts: one of several a group, or all.
 * @module
 */

import { h } from "../core/dom.js";

/**
 * @typedef {object} Chip
 * @property {string} value
 * @property {string} says
 * @property {number} [count]
 * @property {string} [tone]
 */

/** A row of toggles; `onpick` gets the values that are on. */
export class Chips {
  /**
   * @param {string} label what is filtered by, for who does not see it
   * @param {(values: Set<string>) => void} onpick
   */
  constructor(label, onpick) {
    this.node = h("div", { class: "chips", role: "group", "aria-label": label });
    this.onpick = onpick;
    /** @type {Set<string>} */
    this.on = new Set();
    /** @type {Map<string, { button: HTMLButtonElement, count: HTMLElement }>} */
    this.made = new Map();
  }

  /**
   * Show these; what is there already keeps its place and focus.
   * @param {Chip[]} chips
   * @param {boolean} [still] none comes and none goes: a line more or less would move the list under who reads it
   */
  show(chips, still = false) {
    if (still) return this.count(chips);
    const wanted = new Set(chips.map((each) => each.value));
    for (const [value, { button }] of this.made) {
      if (!wanted.has(value) && !this.on.has(value)) {
        button.remove();
        this.made.delete(value);
      }
    }
    /** @type {Element | null} */
    let last = null;
    for (const chip of chips) {
      const { button, count } = this.made.get(chip.value) || this.make(chip);
      if (button.previousElementSibling !== last) last ? last.after(button) : this.node.prepend(button);
      last = button;
      count.textContent = chip.count === undefined ? "" : chip.count.toLocaleString("en");
      button.setAttribute("aria-pressed", String(this.on.has(chip.value)));
    }
  }

  /** How many of each there are now. @param {Chip[]} chips */
  count(chips) {
    const now = new Map(chips.map((each) => [each.value, each.count ?? 0]));
    for (const [value, { count }] of this.made) count.textContent = (now.get(value) ?? 0).toLocaleString("en");
  }

  /** @param {Chip} chip */
  make(chip) {
    const count = h("span", { class: "count" });
    const button = h(
      "button",
      {
        type: "button",
        class: `chip ${chip.tone || ""}`,
        "aria-pressed": "false",
        onclick: () => this.toggle(chip.value),
      },
      chip.says,
      count,
    );
    this.node.append(button);
    const made = { button, count };
    this.made.set(chip.value, made);
    return made;
  }

  /** @param {string} value */
  toggle(value) {
    if (!this.on.delete(value)) this.on.add(value);
    this.set(this.on);
    this.onpick(this.on);
  }

  /** @param {Iterable<string>} values */
  set(values) {
    this.on = new Set(values);
    for (const [value, { button }] of this.made) button.setAttribute("aria-pressed", String(this.on.has(value)));
  }
}
