/**
 * The Gantt: rows of cells painted as pixels, with a cell that the pointer or the arrows read.
 * @module
 */

import { framed, h } from "../../core/dom.js";
import { ganttPaints, onTheme, token } from "../map/paints.js";
import { BUCKET_MS, paint } from "./cells.js";
import { fitted } from "./names.js";

/** @typedef {import("./cells.js").Gantt} Gantt */
/** @typedef {{ row: number, bucket: number }} Cell */

const NAMES = 132, SHARPEST = 2;

export class GanttCanvas {
  /**
   * @param {{ signal: AbortSignal, read: (cell: Cell, firm: boolean) => void, time: (ms: number) => string }} of `firm`: chosen, not only pointed at
   */
  constructor(of) {
    this.of = of;
    /** @type {Gantt | null} */
    this.gantt = null;
    /** @type {import("./cells.js").Row[]} */
    this.rows = [];
    this.height = 20;
    /** @type {Cell} */
    this.cell = { row: 0, bucket: 0 };
    this.now = 0;
    /** @type {number | undefined} */
    this.wanted = undefined;
    /** Whether a cell was chosen: the pointer reads no other until the next click. */
    this.held = false;
    this.paints = ganttPaints();
    this.canvas = h("canvas", { role: "img", "aria-label": "Gantt" });
    this.hours = h("canvas", { "aria-hidden": "true" });
    this.spacer = h("div");
    this.scroll = h(
      "div",
      {
        class: "gantt-scroll",
        tabindex: "0",
        role: "group",
        "aria-label":
          "Vendors by time of day. Arrows move from cell to cell, Enter shows what is behind one; the table beside it has the same.",
      },
      h("div", { class: "gantt-sticky" }, this.canvas),
      this.spacer,
    );
    this.node = h("div", { class: "gantt" }, h("div", { class: "gantt-hours" }, this.hours), this.scroll);
    this.draw = framed(() => this.paint());
    this.listen();
  }

  listen() {
    const { signal } = this.of, { scroll } = this;
    scroll.addEventListener("scroll", this.draw, { signal, passive: true });
    scroll.addEventListener("pointermove", (event) => this.pointed(event, false), { signal });
    scroll.addEventListener("click", (event) => this.pointed(event, true), { signal });
    scroll.addEventListener("keydown", (event) => this.pressed(event), { signal });
    scroll.addEventListener("focus", this.draw, { signal });
    scroll.addEventListener("blur", this.draw, { signal });
    const watcher = new ResizeObserver(this.draw);
    watcher.observe(this.node);
    signal.addEventListener("abort", () => watcher.disconnect());
    onTheme(() => {
      this.paints = ganttPaints();
      this.draw();
    }, signal);
  }

  /**
   * @param {Gantt} gantt
   * @param {import("./cells.js").Row[]} rows in the order shown
   * @param {number} now ms
   */
  show(gantt, rows, now) {
    const before = this.rows[this.cell.row]?.vendor;
    this.gantt = gantt;
    this.rows = rows;
    this.now = now;
    const again = rows.findIndex((row) => row.vendor === before);
    if (!before) this.cell.bucket = Math.max(0, Math.floor((now - gantt.start) / BUCKET_MS));
    this.cell = { row: Math.max(0, again), bucket: Math.min(this.cell.bucket, gantt.buckets - 1) };
    this.draw();
  }

  /** @param {number} height pixels of a row; 0: so that all are seen */
  setHeight(height) {
    this.wanted = height;
    this.draw();
  }

  /** @param {string} says */
  describe(says) {
    this.canvas.setAttribute("aria-label", says);
  }

  get names() {
    return this.scroll.clientWidth < 520 ? 72 : NAMES;
  }

  /** @param {MouseEvent} event @param {boolean} firm */
  pointed(event, firm) {
    if (!this.gantt) return;
    const { left, top } = this.scroll.getBoundingClientRect(), wide = this.scroll.clientWidth - this.names;
    const row = Math.floor((event.clientY - top + this.scroll.scrollTop) / this.height);
    const bucket = Math.floor((event.clientX - left - this.names) / wide * this.gantt.buckets);
    if (row >= this.rows.length || bucket < 0 || bucket >= this.gantt.buckets) return;
    if (firm || !this.held) this.go({ row, bucket }, firm);
  }

  /** @param {Cell} cell @param {boolean} firm */
  go(cell, firm) {
    if (!firm && cell.row === this.cell.row && cell.bucket === this.cell.bucket) return;
    this.cell = cell;
    this.of.read(cell, firm);
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (!this.gantt || event.ctrlKey || event.metaKey || event.altKey) return;
    const hour = 12, page = Math.max(1, Math.floor(this.scroll.clientHeight / this.height) - 1);
    /** @type {Record<string, [number, number]>} */
    const steps = {
      ArrowLeft: [0, event.shiftKey ? -hour : -1],
      ArrowRight: [0, event.shiftKey ? hour : 1],
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      PageUp: [-page, 0],
      PageDown: [page, 0],
      Home: [-1e9, 0],
      End: [1e9, 0],
    };
    if (event.key === "Enter") this.of.read(this.cell, true);
    else if (event.key in steps) {
      const [down, along] = steps[event.key];
      const row = Math.max(0, Math.min(this.rows.length - 1, this.cell.row + down));
      this.go({ row, bucket: Math.max(0, Math.min(this.gantt.buckets - 1, this.cell.bucket + along)) }, false);
      this.reveal(row);
    } else return;
    event.preventDefault();
  }

  /** Bring a row into sight. @param {number} row */
  reveal(row) {
    const top = row * this.height, seen = this.scroll.clientHeight;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top + this.height > this.scroll.scrollTop + seen) this.scroll.scrollTop = top + this.height - seen;
  }

  paint() {
    const { gantt, scroll, rows } = this, context = this.canvas.getContext("2d");
    const wide = scroll.clientWidth, tall = scroll.clientHeight;
    if (!gantt || !context || !wide || !tall) return;
    const sharp = Math.min(SHARPEST, devicePixelRatio || 1);
    this.height = this.wanted === 0 ? Math.max(1, Math.floor(tall / Math.max(1, rows.length))) : this.wanted || 20;
    this.spacer.style.height = `${rows.length * this.height}px`;
    size(this.canvas, wide, tall, sharp);
    const names = this.names * sharp, height = this.height * sharp;
    const first = Math.floor(scroll.scrollTop / this.height);
    const shown = rows.slice(first, first + Math.ceil(tall / this.height) + 1);
    const down = -(scroll.scrollTop - first * this.height) * sharp;
    context.fillStyle = token("--surface");
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const room = this.canvas.width - names;
    if (shown.length && room > 0) { // a day without a vendor has no row, and an image of none is refused
      const image = context.createImageData(room, Math.ceil(shown.length * height));
      const gap = this.height > 4 ? Math.round(2 * sharp) : 0;
      paint(new Uint32Array(image.data.buffer), image.width, shown, {
        height: Math.round(height),
        gap,
        paints: this.paints,
      });
      context.putImageData(image, names, down);
    }
    this.overlay(context, { names, height, down, first, shown, sharp });
    this.drawHours(wide, sharp);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {{ names: number, height: number, down: number, first: number, shown: import("./cells.js").Row[], sharp: number }} at
   */
  overlay(context, at) {
    const { gantt } = this;
    if (!gantt) return;
    const { names, height, down, shown, first, sharp } = at, wide = this.canvas.width - names;
    const x = (/** @type {number} */ bucket) => names + bucket / gantt.buckets * wide;
    context.strokeStyle = token("--map-mark");
    context.lineWidth = 1.5 * sharp;
    shown.forEach((row, nth) => {
      const y = down + nth * height;
      for (const work of row.works) if (work.risk) this.outline(context, x, y, height, gantt.span(work));
    });
    const here = (this.cell.row - first) * height + down;
    if (document.activeElement === this.scroll) context.lineWidth = 2.5 * sharp;
    context.strokeStyle = token("--focus");
    const cellWide = Math.max(wide / gantt.buckets, 4 * sharp);
    if (this.rows.length) {
      context.strokeRect(x(this.cell.bucket) - sharp, here - sharp, cellWide + sharp, Math.max(height, 3 * sharp));
    }
    const now = x((this.now - gantt.start) / BUCKET_MS);
    if (now > names && now < this.canvas.width) {
      context.fillStyle = token("--bad");
      context.fillRect(now, 0, 1.5 * sharp, this.canvas.height);
    }
    this.drawNames(context, at);
  }

  /** @param {CanvasRenderingContext2D} context @param {(bucket: number) => number} x @param {number} y @param {number} height @param {[number, number]} span */
  outline(context, x, y, height, [from, to]) {
    if (to > from) context.strokeRect(x(from), y, Math.max(2, x(to) - x(from)), Math.max(1, height - 1));
  }

  /** @param {CanvasRenderingContext2D} context @param {{ names: number, height: number, down: number, shown: import("./cells.js").Row[], sharp: number }} at */
  drawNames(context, { names, height, down, shown, sharp }) {
    context.fillStyle = token("--surface");
    context.fillRect(0, 0, names, this.canvas.height);
    if (height < 10 * sharp) return;
    context.font = `${Math.min(12, height / sharp - 4) * sharp}px ${token("--font")}`;
    context.textBaseline = "middle";
    context.save();
    context.beginPath();
    context.rect(0, 0, names - 6 * sharp, this.canvas.height);
    context.clip();
    const wide = (/** @type {string} */ text) => context.measureText(text).width;
    shown.forEach((row, nth) => {
      context.fillStyle = token(row.takesWork ? "--text" : "--soft");
      context.fillText(
        fitted(`${row.takesWork ? "" : "paused: "}${row.vendor}`, names - 12 * sharp, wide),
        6 * sharp,
        down + (nth + .5) * height - sharp,
      );
    });
    context.restore();
  }

  /** @param {number} wide @param {number} sharp */
  drawHours(wide, sharp) {
    const { gantt, hours, names } = this, context = hours.getContext("2d");
    if (!gantt || !context) return;
    size(hours, wide, 24, sharp);
    context.clearRect(0, 0, hours.width, hours.height);
    context.font = `${11 * sharp}px ${token("--font")}`;
    context.fillStyle = token("--soft");
    context.textBaseline = "middle";
    const every = wide - names > 700 ? 2 : wide - names > 380 ? 4 : 6;
    for (let bucket = 0; bucket < gantt.buckets; bucket += every * 12) {
      const x = (names + bucket / gantt.buckets * (wide - names)) * sharp;
      context.fillRect(x, 16 * sharp, sharp, 8 * sharp);
      context.fillText(this.of.time(gantt.time(bucket)), x + 3 * sharp, 10 * sharp);
    }
  }
}

/** @param {HTMLCanvasElement} canvas @param {number} wide @param {number} tall @param {number} sharp */
function size(canvas, wide, tall, sharp) {
  const width = Math.round(wide * sharp), height = Math.round(tall * sharp);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${tall}px`;
}
