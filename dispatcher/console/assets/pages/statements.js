/**
 * Statements: what each vendor is owed for a month, its dispatches line by line, and all of it as CSV.
 * @module
 */

import { saveCsv } from "../core/csv.js";
import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { empty, figure, showFigures } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { itemColumns, vendorColumns } from "../parts/statement_columns.js";
import { button, dollars, heading, number, reading, select, told } from "../parts/view.js";

export const title = "Statements";

const MONTHS = 13, PAGE = 20, ITEMS = 1000, A_MONTH = "2[01][0-9]{2}-(0[1-9]|1[0-2])";
/** @typedef {import("../core/app.js").Context} Context */

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  return new Statements(root, context).stop;
}

class Statements {
  /**
   * @param {HTMLElement} root
   * @param {Context} context
   */
  constructor(root, context) {
    this.context = context;
    this.vendor = context.path[0] || "";
    root.classList.add("full");
    const months = monthsUntil(context.zone.date(context.clock.now())), asked = context.query.get("month") || "";
    if (new RegExp(`^${A_MONTH}$`).test(asked) && !months.includes(asked)) months.push(asked);
    this.month = select(
      `Month, ${context.zone.name}`,
      months.map((each) => [each, each]),
      months.includes(asked) ? asked : months[0] || "",
    );
    this.month.addEventListener("change", () => {
      context.setQuery({ month: this.month.value });
      void this.read();
    });
    this.figures = h("div", { class: "figures" });
    this.trouble = h("div", { class: "page-part" });
    this.grid = this.newGrid();
    this.shown = ""; // the month of which all is read: before, rows are shown as they come
    const csv = this.vendor ? () => this.saveLines() : () => this.grid.exportCsv();
    root.append(
      heading(
        this.vendor ? `${title}: ${this.vendor}` : title,
        this.month,
        this.vendor && button("All vendors", () => this.back(), { title: "Escape" }),
        button("Export CSV", csv, { title: "e" }),
        button("Read again", () => this.read(), { title: "r" }),
      ),
      this.figures,
      this.trouble,
      this.grid,
    );
    void this.read();
    this.stop = bind([
      { key: "r", says: "Read again", act: () => void this.read() },
      { key: "e", says: "Export CSV", act: () => void csv() },
      ...this.vendor ? [{ key: "Escape", says: "All vendors", act: () => this.back() }] : [],
    ]);
  }

  newGrid() {
    const { context } = this;
    if (this.vendor) {
      return grid({
        label: `Dispatches of ${this.vendor}`,
        file: `statement-${this.vendor}`,
        key: (/** @type {any} */ row) => `${row.offer_id} ${row.kind} ${row.at}`,
        open: (row) => context.go("request", [row.request_id]),
        tone: (row) => row.lines.some((/** @type {any} */ each) => each.disputed) ? "warn" : "",
        empty: empty("No work of this month is over yet.", "What ends stands here at once, by the day of its start."),
        columns: itemColumns(context),
      });
    }
    return grid({
      label: "Statements",
      file: `statements-${context.market}`,
      key: (/** @type {any} */ row) => row.vendor_id,
      open: (row) => context.go("statements", [row.vendor_id], { month: this.month.value }),
      tone: (row) => row.open_disputes ? "warn" : "",
      sort: { name: "vendor_id", down: false },
      empty: empty("No vendor has work in this month.", "Choose another month; they are kept for some months."),
      columns: vendorColumns(context, () => this.month.value),
    });
  }

  back() {
    this.context.go("statements", [], { month: this.month.value });
  }

  async read() {
    const month = this.month.value;
    if (this.shown !== month) { // no figures of another month beside rows of this one
      this.figures.replaceChildren();
      this.trouble.replaceChildren();
    }
    await reading(this.trouble, this.context.signal, () => this.found(month), ({ sums, rows }) => {
      if (month !== this.month.value) return null; // another was chosen meanwhile
      this.grid.update(rows, { anew: true });
      this.shown = month;
      this.drawFigures(sums);
      const zone = this.context.zone, kept = sums[0] && Date.parse(sums[0].kept_until) - 1;
      return kept ? h("p", { class: "hint" }, `Days of ${zone.name}. Kept to ${zone.date(kept)}.`) : null;
    });
  }

  /** Statements, and what stands in the rows. @param {string} month @returns {Promise<{ sums: any[], rows: any[] }>} */
  async found(month) {
    const { api, signal } = this.context;
    /** @type {any[]} */
    const sums = [], items = [];
    if (!this.vendor) {
      for await (const page of api.pages(`/statements/${month}`, { limit: PAGE }, signal)) {
        sums.push(...page.statements);
        if (this.shown !== month && month === this.month.value) this.grid.update([...sums], { anew: true });
      }
      return { sums, rows: sums };
    }
    sums.push(await api.get(this.path(month), {}, signal));
    for await (const page of api.pages(`${this.path(month)}/items`, { limit: ITEMS }, signal)) {
      items.push(...page.items);
    }
    return { sums, rows: items };
  }

  /** @param {string} month */
  path(month) {
    return `/vendors/${encodeURIComponent(this.vendor)}/statements/${month}`;
  }

  /** The service's own file: a row a line. */
  saveLines() {
    const { api, market, signal } = this.context, month = this.month.value;
    return told(async () => {
      const response = await api.fetch("GET", `${this.path(month)}/csv`, { accept: "text/csv", signal });
      saveCsv(`statement-${market}-${this.vendor}-${month}`, await response.blob());
    }, "Saved: a row a line.");
  }

  /** @param {any[]} sums */
  drawFigures(sums) {
    const total = (/** @type {string} */ name) => sums.reduce((sum, each) => sum + each[name], 0);
    const left = sums.filter((each) => !each.final).length, disputes = total("open_disputes");
    showFigures(
      this.figures,
      figure({ value: dollars(total("cents")), says: "owed together" }),
      figure({ value: number(total("work")), says: "dispatches that are over" }),
      figure({ value: dollars(total("corrections_cents")), says: "of it corrections" }),
      figure({ value: number(total("open_work")), says: "not over yet" }),
      figure({ value: disputes, says: "lines disputed", tone: disputes ? "warn" : "good" }),
      figure({ value: left, says: "not final yet", title: "Its month, or some of its work, is not over" }),
    );
  }
}

/** This month and those before it, the newest first. @param {string} today 2026-03-03 */
function monthsUntil(today) {
  const [year = 0, month = 1] = today.split("-").map(Number);
  return Array.from({ length: MONTHS }, (_, back) => {
    const place = 12 * year + month - 1 - back;
    return `${Math.floor(place / 12)}-${String(place % 12 + 1).padStart(2, "0")}`;
  });
}
