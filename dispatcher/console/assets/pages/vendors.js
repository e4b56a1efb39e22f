/**
 * Vendors: what became of their work, papers to verify, pauses with their reason, capacity and work of today.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { pauseOrResume } from "../parts/acts/pause.js";
import { empty, figure, showFigures } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { leadsTo } from "../parts/grid_keys.js";
import { button, every, heading, notForYou, percent, reading } from "../parts/view.js";
import { VendorPanel } from "../parts/vendor.js";
import { stateOf, summaryColumns } from "../parts/vendor_columns.js";
import { Narrowing } from "../parts/narrowing.js";

export const title = "Vendors";

const EVERY_MS = 20_000;
const WELL = 0.8; // of its work: below, it is worth a look

/** @typedef {import("../parts/vendor_columns.js").Summary} Summary */

/** @type {Record<string, { says: string, fits: (row: Summary) => boolean, tone?: string }>} */
const FILTERS = {
  verify: { says: "Papers to verify", fits: (row) => row.to_verify.length > 0 },
  expired: { says: "Papers expired", fits: (row) => row.expired > 0 },
  onboarding: { says: "Not active", fits: (row) => row.onboarding !== "active" },
  ops: { says: "Paused by ops", fits: (row) => row.ops_pause !== null },
  own: { says: "Paused by itself", fits: (row) => row.paused },
  low: { says: `Below ${percent(WELL)} well`, fits: (row) => row.went_well !== null && row.went_well < WELL },
  unposted: { says: "Nothing posted today", fits: (row) => !row.posted_today },
  busy: { says: "Has work", fits: (row) => row.open > 0 },
};

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  const [vendorId] = context.path;
  if (vendorId) {
    const panel = new VendorPanel(context, vendorId);
    root.append(
      heading(
        vendorId,
        h("a", { class: "button", href: context.href("vendors") }, "All vendors"),
      ),
      panel.node,
    );
    void panel.read();
    return bind([
      { key: "Escape", says: "All vendors", act: () => context.go("vendors") },
      { key: "p", says: "Pause or resume", act: () => panel.pauseOrResume() },
      { key: "o", says: "Onboarding", act: () => panel.onboard() },
      { key: "v", says: "Verify papers", act: () => panel.verify() },
      { key: "c", says: "Add a cap", act: () => panel.addCap() },
      { key: "r", says: "Read again", act: () => void panel.read() },
    ]);
  }
  return new VendorList(root, context).stop;
}

class VendorList {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    /** @type {Summary[]} */
    this.rows = [];
    root.classList.add("full");
    this.narrowing = new Narrowing(context, FILTERS, {
      which: "Which vendors",
      find: "Find by id or name",
      hint: "Id or name  /",
      text: (row) => `${row.id} ${row.name}`,
      changed: () => this.draw(true),
    });
    this.figures = h("div", { class: "figures" });
    this.trouble = h("div", {});
    this.grid = this.newGrid();
    leadsTo(this.narrowing.find, this.grid);
    root.append(
      heading(
        title,
        this.narrowing.find,
        button("Export CSV", () => this.grid.exportCsv()),
        button("Read again", () => this.read(), { title: "r" }),
      ),
      this.figures,
      this.narrowing.chips.node,
      this.trouble,
      this.grid,
    );
    void this.read();
    every(() => this.read(), EVERY_MS, context.signal);
    this.stop = bind([
      { key: "/", says: "Find a vendor", act: () => this.narrowing.find.focus() },
      { key: "r", says: "Read again", act: () => void this.read() },
      { key: "e", says: "Export CSV", act: () => this.grid.exportCsv() },
      { key: "p", says: "Pause or resume the vendor at the cursor", act: () => this.pause() },
    ]);
  }

  newGrid() {
    return grid({
      label: "Vendors",
      file: "vendors",
      key: (/** @type {Summary} */ row) => row.id,
      open: (row) => this.context.go("vendors", [row.id]),
      tone: (row) =>
        row.onboarding === "suspended" || row.ops_pause || row.expired
          ? "bad"
          : row.to_verify.length || row.paused
          ? "warn"
          : "",
      sort: { name: "id", down: false },
      empty: empty("No vendor here.", "Take a filter off, or register one: PUT …/vendors/{id}."),
      columns: summaryColumns(this.context),
    });
  }

  async read() {
    const { api, signal } = this.context;
    const rows = /** @type {Summary[]} */ ([]);
    const all = async () => {
      let since = "";
      for await (const page of api.pages("/vendor-outcomes", { limit: 1000 }, signal)) {
        rows.push(...page.vendors);
        since = page.since;
      }
      return since;
    };
    await reading(this.trouble, signal, all, (since) => {
      this.rows = rows;
      this.draw();
      return h("p", { class: "hint" }, `Outcomes since ${since.slice(0, 10)}, by month (UTC).`);
    });
  }

  /** @param {boolean} [anew] */
  draw(anew = false) {
    this.grid.update(this.narrowing.narrow(this.rows).shown, { anew });
    this.drawFigures();
  }

  drawFigures() {
    const of = (/** @type {string} */ name) => this.rows.filter(FILTERS[name].fits).length;
    const lead = (/** @type {string} */ only) => this.context.href("vendors", [], { only });
    const rows = this.rows, work = rows.filter((row) => stateOf(row) === "takes work").length;
    const total = (/** @type {string} */ name) => rows.reduce((sum, row) => sum + (row.outcomes[name] || 0), 0);
    const ended = total("on_time") + total("late") + total("failed");
    showFigures(
      this.figures,
      figure({ value: work, says: `of ${rows.length} take work` }),
      figure({
        value: of("verify"),
        says: "have papers to verify",
        href: lead("verify"),
        tone: of("verify") ? "warn" : "",
      }),
      figure({
        value: of("expired"),
        says: "have expired papers",
        href: lead("expired"),
        tone: of("expired") ? "warn" : "",
      }),
      figure({ value: of("ops"), says: "paused by ops", href: lead("ops") }),
      figure({ value: ended ? percent(total("on_time") / ended) : "–", says: "of work on time" }),
      figure({ value: of("unposted"), says: "posted nothing today", href: lead("unposted") }),
    );
  }

  pause() {
    const row = /** @type {Summary | undefined} */ (this.grid.at);
    if (row) {
      void pauseOrResume(this.context, row.id, row.ops_pause?.reason).then((done) => done ? this.read() : undefined);
    }
  }
}
