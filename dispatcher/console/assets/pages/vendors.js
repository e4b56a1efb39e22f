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
import { button, every, heading, notForYou, percent, reading, words } from "../parts/view.js";
import { VendorPanel } from "../parts/vendor.js";
import { Narrowing } from "../parts/narrowing.js";

export const title = "Vendors";

const EVERY_MS = 20_000;
const WELL = 0.8; // of its work: below, it is worth a look

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {number} version
 * @property {string} name
 * @property {string[]} levels_of_service
 * @property {number} equipment
 * @property {boolean} paused
 * @property {{ by: string, subject?: string, at: string, reason: string } | null} ops_pause
 * @property {string} onboarding
 * @property {{ kind: string, expires_on: string }[]} to_verify
 * @property {string | null} expires_on
 * @property {number} expired
 * @property {Record<string, number>} outcomes
 * @property {number} late_minutes
 * @property {number | null} went_well
 * @property {number} open
 * @property {boolean} posted_today
 */

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
    const count = (/** @type {string} */ name) => (/** @type {Summary} */ row) => row.outcomes[name] || 0;
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
      columns: [
        {
          name: "id",
          says: "Vendor",
          width: 130,
          value: (row) => row.id,
          show: (row) => h("a", { class: "mono", href: this.context.href("vendors", [row.id]) }, row.id),
        },
        { name: "name", says: "Name", width: 190, below: 1, value: (row) => row.name },
        {
          name: "state",
          says: "State",
          width: 130,
          value: stateOf,
          show: (row) =>
            h(
              "span",
              { class: `tag ${toneOf(row)}` },
              stateOf(row),
            ),
        },
        {
          name: "open",
          says: "Open",
          width: 64,
          value: (row) => row.open,
          end: true,
          title: "Offers and dispatches it has",
        },
        {
          name: "went_well",
          says: "Well",
          width: 72,
          value: (row) => row.went_well === null ? "" : Math.round(row.went_well * 100),
          show: (row) => percent(row.went_well),
          end: true,
          title: "The share of its work that went well; matching goes by a damped one",
        },
        { name: "on_time", says: "On time", width: 80, value: count("on_time"), end: true },
        { name: "late", says: "Late", width: 64, value: count("late"), end: true },
        { name: "declined", says: "Declined", width: 84, value: count("declined"), end: true },
        {
          name: "expired",
          says: "Silent",
          width: 72,
          value: count("expired"),
          end: true,
          title: "Offers that it did not answer",
        },
        { name: "turned_back", says: "Turned back", width: 104, value: count("turned_back"), end: true },
        {
          name: "no_show",
          says: "No-show",
          width: 80,
          value: count("no_show"),
          end: true,
          title: "The patient's: the vendor was there",
        },
        {
          name: "to_verify",
          says: "To verify",
          width: 88,
          value: (row) => row.to_verify.length,
          show: (row) => row.to_verify.length ? h("span", { class: "tag warn" }, row.to_verify.length) : "",
          end: true,
        },
        {
          name: "papers_expire",
          says: "Papers until",
          width: 104,
          value: (row) => row.expires_on || "",
          title: "Of its verified papers that hold, the first to end",
        },
        { name: "posted_today", says: "Posted today", width: 104, value: (row) => row.posted_today ? "yes" : "no" },
        { name: "serves", says: "Serves", width: 240, value: (row) => serves(row) },
      ],
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

/** @param {Summary} row */
function toneOf(row) {
  if (row.onboarding === "suspended" || row.ops_pause || row.expired) return "bad";
  return row.onboarding !== "active" || row.paused ? "warn" : "good";
}

/** @param {Summary} row */
function stateOf(row) {
  if (row.onboarding !== "active") return row.onboarding;
  if (row.ops_pause) return "paused by ops";
  if (row.paused) return "paused itself";
  return row.expired ? "papers expired" : "takes work"; // what it serves may need just those
}

/** @param {Summary} row */
function serves(row) {
  const levels = row.levels_of_service.map(words).join(", ");
  return [levels, row.equipment ? `${row.equipment} kinds of equipment` : ""].filter(Boolean).join("; ");
}
