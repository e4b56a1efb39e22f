/**
 * Gantt: every vendor's day, what is booked of what is posted, and what of it is at risk.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { booked, PastStore, readDay } from "../core/past.js";
import { showTrouble } from "../parts/dialog.js";
import { empty, figure, showFigures } from "../parts/figure.js";
import { GanttCanvas } from "../parts/gantt/canvas.js";
import { Gantt } from "../parts/gantt/cells.js";
import { dayInstead } from "../parts/gantt/day_of_work.js";
import { grid } from "../parts/grid.js";
import { LEVELS } from "../parts/map/wish.js";
import { words } from "../parts/state.js";
import { atRisk, RISKS, why } from "../parts/words.js";
import { cellTold, legend, nothingPosted, vendorsOptions } from "../parts/gantt/told.js";
import { select } from "../parts/view.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../parts/gantt/cells.js").Row} Row */

export const title = "Gantt";
const AGAIN_MS = 60_000; // a whole day is read again: no more often, however much changes
/** @type {Record<string, [string, (a: Row, b: Row) => number]>} */
const ORDERS = {
  risk: ["At risk first", (a, b) => b.figures.risks - a.figures.risks || b.figures.share - a.figures.share],
  share: ["Fullest first", (a, b) => b.figures.share - a.figures.share],
  room: ["Most room first", (a, b) => (b.figures.posted - b.figures.booked) - (a.figures.posted - a.figures.booked)],
  vendor: ["By vendor", (a, b) => a.vendor.localeCompare(b.vendor, "en", { numeric: true })],
};
/** @type {Record<string, [string, number]>} */
const HEIGHTS = { rows: ["Readable rows", 20], dense: ["Dense rows", 8], all: ["All in sight", 0] };

class GanttPage {
  /** @param {HTMLElement} root @param {Context} context */
  constructor(root, context) {
    this.context = context;
    const { query, clock, zone, store, signal } = context;
    this.past = store instanceof PastStore ? store : null;
    this.wish = {
      day: this.past?.day.day || query.get("day") || zone.date(clock.now()),
      level: LEVELS.find((each) => each === query.get("level")) || "",
      order: Object.keys(ORDERS).find((each) => each === query.get("order")) || "risk",
      rows: Object.keys(HEIGHTS).find((each) => each === query.get("rows")) || "rows",
      vendor: query.get("vendor") || "",
    };
    this.canvas = new GanttCanvas({ signal, read: (cell, firm) => this.read(cell, firm), time: (ms) => zone.time(ms) });
    this.canvas.setHeight(HEIGHTS[this.wish.rows]?.[1] ?? 20);
    this.figures = h("div", { class: "figures" });
    this.reading = h("div", { class: "panel", role: "region", "aria-live": "polite", "aria-label": "The cell" });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.readAt = h("span", { class: "soft small" });
    this.instead = h("p", { class: "hint", role: "status", hidden: true });
    const isPast = Boolean(this.past);
    this.dayField = h("input", { type: "date", value: this.wish.day, "aria-label": "Day", disabled: isPast });
    this.isDayAsked = isPast || query.has("day");
    this.none = h("div", { hidden: true });
    this.table = grid(vendorsOptions(context, (row) => this.to(row)));
    /** @type {import("../parts/gantt/cells.js").DayCapacity | null} */
    this.capacity = null;
    /** @type {import("../core/past.js").PastDay | null} */
    this.day = null;
    this.changedAt = 0;
    this.isReading = false;
    root.classList.add("full");
    root.append(
      h("div", { class: "row" }, h("h1", {}, title), ...this.controls(), h("span", { class: "grow" }), this.readAt),
      this.trouble,
      this.instead,
      this.figures,
      h("div", { class: "alongside" }, this.canvas.node, h("aside", {}, this.reading, this.beside(), this.table)),
      this.none,
      legend(),
    );
    this.end = this.follow();
    void this.load();
  }

  /** @returns {any[]} */
  controls() {
    const { wish, dayField: day } = this;
    day.addEventListener("change", () => day.value && this.set("day", day.value, true));
    const level = select("Level of service", [
      ["", "All levels"],
      ...LEVELS.map((each) => /** @type {[string, string]} */ ([each, words(each)])),
    ], wish.level);
    level.addEventListener("change", () => this.set("level", level.value));
    const order = select("Order", Object.entries(ORDERS).map(([name, [says]]) => [name, says]), wish.order);
    order.addEventListener("change", () => this.set("order", order.value));
    const rows = select("Height of rows", Object.entries(HEIGHTS).map(([name, [says]]) => [name, says]), wish.rows);
    rows.addEventListener("change", () => {
      this.canvas.setHeight(HEIGHTS[rows.value][1]);
      this.set("rows", rows.value);
    });
    const vendor = h("input", {
      type: "search",
      placeholder: "Vendor",
      "aria-label": "Only vendors with this in their id or name",
      value: wish.vendor,
    });
    vendor.addEventListener("input", () => this.set("vendor", vendor.value.trim()));
    return [day, level, order, rows, vendor];
  }

  beside() {
    const again = h("button", { type: "button", onclick: () => void this.load() }, "Read again");
    const exports = h("button", { type: "button", onclick: () => this.table.exportCsv() }, "Export CSV");
    return h(
      "div",
      { class: "row" },
      h("h2", {}, "Vendors"),
      h("span", { class: "grow" }),
      this.past ? null : again,
      exports,
    );
  }

  /** Live changes, or the moment of the past. */
  follow() {
    const keys = bind([
      {
        key: "m",
        says: "To the Gantt: arrows move from cell to cell, Enter shows what is behind one",
        act: () => this.canvas.scroll.focus(),
      },
      { key: "r", says: "Read the day again", act: () => void this.load() },
    ]);
    if (this.past) {
      const stop = this.past.onChange(() => this.show());
      return () => (stop(), keys());
    }
    let dirty = false;
    const stop = this.context.live.onChange(() => dirty = true);
    const timer = setInterval(() => {
      if (!dirty || document.hidden || Date.now() - this.changedAt < AGAIN_MS) return;
      dirty = false;
      void this.load();
    }, 5_000);
    return () => (stop(), keys(), clearInterval(timer));
  }

  /** @param {"day" | "level" | "order" | "rows" | "vendor"} name @param {string} value @param {boolean} [anew] */
  set(name, value, anew = false) {
    this.wish[name] = value;
    if (name === "day") this.instead.hidden = true;
    this.context.setQuery({ [name]: value });
    if (anew) void this.load();
    else this.show();
  }

  async load() {
    if (this.isReading) return;
    this.isReading = true;
    const { api, signal } = this.context, { day } = this.wish;
    try {
      this.capacity = await api.get(`/days/${day}/capacity`, {}, signal);
      if (await this.goElsewhere()) return;
      if (this.past || this.day?.day !== day) this.day = this.past?.day || null;
      this.show(); // what is booked of what is posted: the work behind it is much more to read
      this.day = this.past?.day || await readDay(api, day, signal);
      this.changedAt = Date.now();
      this.trouble.hidden = true;
      this.show();
    } catch (error) {
      if (signal.aborted) return;
      showTrouble(this.trouble, error);
      if (this.capacity && !this.day) this.readAt.textContent = "The work of the day was not read";
    } finally {
      this.isReading = false;
      if (!signal.aborted && this.wish.day !== day) void this.load();
    }
  }

  /** Whether it begins with another day, for today has nothing to show. */
  async goElsewhere() {
    const today = this.wish.day;
    const day = this.isDayAsked ? "" : await dayInstead(this.context, this.capacity, today);
    this.isDayAsked = true; // to begin with, and never again
    if (!day || this.wish.day !== today) return false;
    this.wish.day = this.dayField.value = day;
    this.instead.hidden = false;
    this.instead.textContent = `Nothing is booked for ${today}. This is ${day}, the nearest day with work.`;
    return true;
  }

  show() {
    const { capacity, day, wish, context, past } = this;
    if (!capacity || (past && !day)) return;
    const now = past ? past.ms : context.clock.now();
    this.gantt = new Gantt(capacity, wish.level, day && this.works(day, now), Boolean(past));
    const text = wish.vendor.toLowerCase();
    const rows = this.gantt.rows.filter((row) =>
      !text || row.vendor.toLowerCase().includes(text) || row.name.toLowerCase().includes(text)
    );
    rows.sort((ORDERS[wish.order] || ORDERS.risk)[1]);
    this.canvas.show(this.gantt, rows, now);
    this.rows = rows;
    this.drawFigures(rows);
    this.table.update(rows.map((row) => ({ row, ...row.figures })), { anew: true });
    this.drawEmpty(rows);
    this.read(this.canvas.cell, false);
    const { zone } = context;
    this.readAt.textContent = past
      ? "Posted as it is now; booked as it was then"
      : day
      ? `Read at ${zone.time(day.readAt)} ${zone.abbreviation(day.readAt)}`
      : "Reading the work of the day …";
  }

  /** What is booked, with what is known of its risk now. @param {import("../core/past.js").PastDay} day @param {number} now */
  works(day, now) {
    if (this.past) return booked(day, now);
    const { store } = this.context;
    return booked(day, Infinity).map((work) => {
      const row = store.get(work.id);
      return row && row.vendor === work.vendor
        ? { ...work, state: row.state, risk: atRisk(row, now) ? why(row) || RISKS[row.risk] : "" }
        : work;
    });
  }

  /** @param {Row[]} rows */
  drawEmpty(rows) {
    this.none.hidden = rows.length > 0;
    if (!rows.length) fill(this.none, nothingPosted(this.wish));
  }

  /** @param {Row[]} rows */
  drawFigures(rows) {
    const { context, wish } = this, all = rows.map((row) => row.figures);
    const sum = (/** @type {(each: any) => number} */ of) => all.reduce((total, each) => total + of(each), 0);
    const posted = sum((each) => each.posted), taken = sum((each) => each.booked), risks = sum((each) => each.risks);
    const over = all.filter((each) => each.over).length, full = all.filter((each) => each.share > 0.9).length;
    const board = (/** @type {Record<string, string>} */ query) => context.href("board", [], query);
    const risky = rows.flatMap((row) => row.works.filter((work) => work.risk).map((work) => work.id));
    showFigures(
      this.figures,
      figure({ value: rows.length, says: "vendors with capacity" }),
      figure({ value: hours(posted), says: "unit hours posted" }),
      figure({ value: `${Math.round(posted ? taken / posted * 100 : 0)} %`, says: `booked (${hours(taken)} h)` }),
      figure({ value: full, says: "vendors over 90 %", tone: full ? "warn" : "" }),
      figure({
        value: this.day ? risks : "–",
        says: "at risk",
        tone: risks ? "bad" : "",
        href: risks ? board({ ids: risky.slice(0, 200).join(",") }) : undefined,
      }),
      over > 0 && figure({ value: over, says: "booked beyond what is posted", tone: "bad" }),
    );
    this.canvas.describe(
      `Gantt of ${rows.length} vendors on ${wish.day}: ${hours(taken)} of ${hours(posted)} unit hours booked, ${
        this.day ? `${risks} requests at risk, ` : ""
      }${full} vendors over 90 %.`,
    );
  }

  /** @param {Row} row */
  to(row) {
    const at = (this.rows || []).indexOf(row);
    if (at < 0) return;
    const first = row.works.find((work) => work.risk) || row.works[0];
    const bucket = first && this.gantt ? this.gantt.span(first)[0] : this.canvas.cell.bucket;
    this.canvas.reveal(at);
    this.canvas.go({ row: at, bucket: Math.min(bucket, (this.gantt?.buckets || 1) - 1) }, true);
  }

  /** @param {import("../parts/gantt/canvas.js").Cell} cell @param {boolean} firm */
  read(cell, firm) {
    const row = this.rows?.[cell.row], { gantt } = this;
    if (!row || !gantt) {
      return fill(this.reading, h("p", { class: "soft" }, "Point at a cell, or move with the arrows."));
    }
    fill(this.reading, cellTold(row, cell.bucket, gantt, this.context));
    this.canvas.held = firm;
    if (firm) this.reading.querySelector("a")?.focus();
  }
}

/** @param {number} value */
function hours(value) {
  return Math.round(value).toLocaleString("en");
}

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) {
    root.append(h("h1", {}, title), empty("What vendors posted is for ops.", "Sign in with a link for ops."));
    return;
  }
  return new GanttPage(root, context).end;
}
