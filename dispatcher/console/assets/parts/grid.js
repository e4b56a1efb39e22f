/**
 * A table of any length: only the rows in sight are elements. A keyboard and a screen reader use it as a grid;
 * its order holds still while somebody reads, and what came meanwhile is counted ("12 new").
 * @module
 */

import { fill, framed, h } from "../core/dom.js";
import { pressed, rowKeys } from "./grid_keys.js";
import { headings, laidOut, newRow, ROW_PX, saved, sorted, whole } from "./grid_columns.js";

/**
 * @template R
 * @typedef {import("./grid_columns.js").GridOptions<R>} GridOptions
 */

const SPARE = 8;
const TOUCHED_MS = 10_000; // so long a hand that touched it is near

/** `<x-grid>`; make it with `grid(options)`. */
export class Grid extends HTMLElement {
  constructor() {
    super();
    /** @type {GridOptions<any>} */
    this.options = { label: "", columns: [], key: () => "" };
    /** @type {any[]} in the order shown */
    this.order = [];
    /** @type {any[]} as they are now */
    this.latest = [];
    /** @type {Map<string, any>} */
    this.now = new Map();
    /** @type {Map<number, HTMLElement>} */
    this.drawn = new Map();
    /** @type {HTMLElement[]} */
    this.pool = [];
    /** @type {Set<string>} */
    this.chosen = new Set();
    this.current = 0;
    this.currentKey = "";
    this.rowPx = ROW_PX;
    this.handUntil = -Infinity; // a pointer is on it, or a finger was a moment ago
    this.arrived = () => {}; // the first rows: a key may wait for them
    this.stamp = 0; // of the last update: what depends on the time is drawn anew with it
    /** @type {{ name: string, down: boolean } | null} */
    this.sort = null;
    this.body = h("div", { class: "grid-body", role: "rowgroup" });
    this.head = h("div", { class: "grid-head", role: "row" });
    this.none = h("div", { class: "grid-empty", hidden: true });
    this.news = h("button", { type: "button", class: "grid-news", hidden: true, onclick: () => this.adopt() });
    this.table = h(
      "div",
      { class: "grid-table", role: "grid" },
      h("div", { role: "rowgroup", class: "grid-heads" }, this.head),
      this.body,
    );
    this.frame = h("div", { class: "grid-scroll" }, this.table, this.none);
    this.draw = framed(() => this.render());
  }

  /** @param {GridOptions<any>} options */
  setup(options) {
    this.options = options;
    this.sort = options.sort || null;
    this.table.setAttribute("aria-label", options.label);
    this.table.setAttribute("aria-colcount", String(options.columns.length + (options.select ? 1 : 0)));
    if (options.select) this.table.setAttribute("aria-multiselectable", "true");
    fill(this.none, h("p", { class: "soft", role: "status" }, "Reading …"));
    this.replaceChildren(this.news, this.frame);
    this.frame.addEventListener("scroll", this.draw, { passive: true });
    this.frame.addEventListener("keydown", (event) => pressed(this, event));
    this.body.addEventListener("click", (event) => this.clicked(event));
    this.body.addEventListener("focusin", (event) => this.focused(event));
    this.body.addEventListener("pointerover", (event) => whole(/** @type {HTMLElement} */ (event.target)));
    this.addEventListener("pointerenter", () => this.handUntil = Infinity);
    this.addEventListener("pointerleave", (event) => this.left(event));
    new ResizeObserver(() => this.measure()).observe(this.frame);
    this.drawHead();
    this.measure();
    return this;
  }

  /** A phone's rows are others than a desk's. */
  measure() {
    const high = laidOut(this);
    if (high !== this.rowPx) {
      this.rowPx = high;
      for (const [at, element] of this.drawn) element.style.transform = `translateY(${at * high}px)`;
    }
    this.draw();
  }

  connectedCallback() {
    this.unbind = rowKeys(this);
  }

  disconnectedCallback() {
    this.unbind?.();
  }

  /** Whether the keyboard is in a row. */
  get isFocused() {
    return this.body.contains(document.activeElement);
  }

  /** Whether somebody reads: then the order stays. */
  get isRead() {
    return this.order.length > 0 &&
      (performance.now() < this.handUntil || this.frame.scrollTop > 0 || this.isFocused);
  }

  /** A finger that goes up comes down again. @param {PointerEvent} event */
  left(event) {
    this.handUntil = event.pointerType === "mouse" ? -Infinity : performance.now() + TOUCHED_MS;
  }

  /**
   * What is to be shown now.
   * @param {any[]} rows
   * @param {{ anew?: boolean }} [how] `anew`: another filter, so nothing is held
   */
  update(rows, { anew = false } = {}) {
    this.latest = rows;
    if (!this.stamp++) {
      fill(this.none, this.options.empty || "Nothing here.");
      queueMicrotask(this.arrived);
    }
    this.now = new Map(rows.map((row) => [this.options.key(row), row]));
    const kept = [...this.chosen].filter((key) => this.now.has(key));
    if (kept.length < this.chosen.size) this.choose(kept); // what is not shown any more is not acted on
    if (anew || !this.isRead) return this.adopt(anew);
    const shown = new Set(this.order.map((row) => this.options.key(row)));
    const fresh = rows.filter((row) => !shown.has(this.options.key(row))).length;
    const gone = this.order.length - (rows.length - fresh);
    this.order = this.order.map((row) => this.now.get(this.options.key(row)) || row);
    this.news.hidden = !fresh && !gone;
    this.news.textContent = [fresh && `${fresh} new`, gone && `${gone} gone`].filter(Boolean).join(", ") + " — show";
    this.draw();
  }

  // Drawn at once: a row is acted on as it is shown. Who was on a row is on it, or on the one that stands there now.
  /** Take what came meanwhile into the order. @param {boolean} [top] */
  adopt(top = false) {
    const held = this.isFocused;
    this.order = sorted(this.latest, this.options.columns, this.sort);
    this.news.hidden = true;
    const at = this.order.findIndex((row) => this.options.key(row) === this.currentKey);
    this.current = at < 0 ? Math.max(0, Math.min(this.current, this.order.length - 1)) : at;
    if (top) this.frame.scrollTop = 0;
    if (held) this.go(this.current);
    else this.render();
  }

  drawHead() {
    fill(this.head, headings(this.options, this.sort, (name) => this.sortBy(name)));
  }

  /** @param {string} name */
  sortBy(name) {
    this.sort = this.sort?.name !== name ? { name, down: false } : this.sort.down ? null : { name, down: true };
    this.options.sorted?.(this.sort);
    this.drawHead();
    this.adopt(true);
    /** @type {HTMLElement | undefined} */ ([...this.head.querySelectorAll("button")].find((_, at) =>
      this.options.columns[at].name === name
    ))?.focus();
  }

  render() {
    const count = this.order.length, held = this.isFocused;
    this.none.hidden = count > 0;
    this.table.setAttribute("aria-rowcount", String(count + 1));
    this.body.style.height = `${count * this.rowPx}px`;
    const top = this.frame.scrollTop, seen = this.frame.clientHeight;
    const first = Math.max(0, Math.floor(top / this.rowPx) - SPARE);
    const last = Math.min(count, Math.ceil((top + seen) / this.rowPx) + SPARE);
    this.release(first, last);
    for (let at = first; at < last; at++) this.drawRow(at);
    const kept = [...this.drawn.keys()].filter((at) => at < first || at >= last);
    for (const at of kept) if (at < count) this.drawRow(at);
    if (held && !this.isFocused) this.drawn.get(this.current)?.focus({ preventScroll: true }); // its row is gone
  }

  /** Rows out of sight are used again, but never the one that has the focus. @param {number} first @param {number} last */
  release(first, last) {
    for (const [at, element] of this.drawn) {
      const focused = element.contains(document.activeElement);
      if ((at >= first && at < last) || (focused && at < this.order.length)) continue;
      this.drawn.delete(at);
      element.remove();
      this.pool.push(element);
    }
  }

  /** @param {number} at */
  drawRow(at) {
    const row = this.order[at], key = this.options.key(row);
    let element = this.drawn.get(at);
    if (!element) {
      element = this.pool.pop() || newRow(this.options);
      this.drawn.set(at, element);
      element.style.transform = `translateY(${at * this.rowPx}px)`;
      element.setAttribute("aria-rowindex", String(at + 2));
      element.dataset.at = String(at);
      this.body.append(element);
    }
    const gone = !this.now.has(key);
    const tone = this.options.tone?.(row) || "";
    const name = `grid-row ${tone}${gone ? " gone" : ""}${at === this.current ? " current" : ""}`;
    if (element.className !== name) element.className = name;
    element.tabIndex = at === this.current ? 0 : -1;
    if (this.options.select) element.setAttribute("aria-selected", String(this.chosen.has(key)));
    const drawnOf = /** @type {any} */ (element), chosen = this.chosen.has(key);
    if (drawnOf.of === row && drawnOf.stamp === this.stamp && drawnOf.chosen === chosen) return;
    Object.assign(drawnOf, { of: row, stamp: this.stamp, chosen });
    this.drawCells(element, row, key);
  }

  /** @param {HTMLElement} element @param {any} row @param {string} key */
  drawCells(element, row, key) {
    const shift = this.options.select ? 1 : 0;
    if (shift) element.children[0].textContent = this.chosen.has(key) ? "☑" : "☐";
    this.options.columns.forEach((column, at) => {
      const cell = element.children[at + shift];
      const shown = column.show ? column.show(row) : column.value(row);
      if (typeof shown === "string" || typeof shown === "number") {
        const text = String(shown);
        if (cell.textContent !== text || cell.firstElementChild) cell.textContent = text;
      } else fill(cell, shown);
    });
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = target.closest(".grid-row");
    if (!(row instanceof HTMLElement) || target.closest("a, button")) return;
    const at = Number(row.dataset.at);
    this.go(at);
    if (target.closest(".box")) this.toggle(at);
    else if (!this.options.moved || event.detail > 1) this.options.open?.(this.order[at]);
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest(".grid-row");
    if (!(row instanceof HTMLElement)) return;
    this.current = Number(row.dataset.at);
    this.currentKey = this.order[this.current] ? this.options.key(this.order[this.current]) : "";
    this.options.moved?.(this.order[this.current]);
    this.draw();
  }

  /** Put the focus on a row. @param {number} at */
  go(at) {
    if (!this.order.length) return;
    this.current = Math.max(0, Math.min(this.order.length - 1, at));
    this.currentKey = this.options.key(this.order[this.current]);
    const top = this.current * this.rowPx, seen = this.frame.clientHeight - this.rowPx;
    if (top < this.frame.scrollTop) this.frame.scrollTop = top;
    else if (top + this.rowPx > this.frame.scrollTop + seen) this.frame.scrollTop = top + this.rowPx - seen;
    this.render();
    this.drawn.get(this.current)?.focus({ preventScroll: true });
  }

  /** The row that the keyboard is at. */
  get at() {
    return this.order[this.current];
  }

  /** @param {number} at @param {boolean} [on] */
  toggle(at, on) {
    if (!this.options.select || !this.order[at]) return;
    const key = this.options.key(this.order[at]);
    if (on ?? !this.chosen.has(key)) this.chosen.add(key);
    else this.chosen.delete(key);
    this.options.select(this.chosen);
    this.draw();
  }

  /** @param {Iterable<string>} keys */
  choose(keys) {
    this.chosen = new Set(keys);
    this.options.select?.(this.chosen);
    this.draw();
  }

  /** All that is shown, as a file. */
  exportCsv() {
    saved(this.options, this.latest, this.sort);
  }
}

customElements.define("x-grid", Grid);

/**
 * @template R
 * @param {GridOptions<R>} options
 */
export function grid(options) {
  return /** @type {Grid} */ (document.createElement("x-grid")).setup(options);
}
