/**
 * Map: where what is asked for lies, who reaches it, and one vendor's work.
 * @module
 */

import { fill, h, settled } from "../core/dom.js";
import { paced } from "../core/pace.js";
import { bind } from "../core/keys.js";
import { PastStore } from "../core/past.js";
import { Chips } from "../parts/chips.js";
import { showTrouble } from "../parts/dialog.js";
import { empty } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { legend } from "../parts/map/legend.js";
import { MapCanvas } from "../parts/map/map.js";
import { onTheme } from "../parts/map/paints.js";
import { toneOf, TONES } from "../parts/map/points.js";
import { project } from "../parts/map/projection.js";
import { LEVELS, Wish } from "../parts/map/wish.js";
import { words } from "../parts/state.js";
import { atRisk } from "../parts/words.js";
import { emptySays, listOptions, tip } from "../parts/map/list.js";
import { tilesOf } from "../parts/map/tiles.js";
import { select } from "../parts/view.js";
import { vendorNames } from "../parts/vendor_names.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../core/store.js").Row} Row */

export const title = "Map";
const AGAIN_MS = 1_000;
const MOST_IN_LINK = 200;

class MapPage {
  /** @param {HTMLElement} root @param {Context} context */
  constructor(root, context) {
    this.context = context;
    this.wish = new Wish(context);
    this.anew = true;
    const { signal } = context;
    this.ops = context.may("ops");
    this.map = new MapCanvas({
      signal,
      tiles: tilesOf(context),
      tip: (id) => {
        const row = context.store.get(id);
        return row ? tip(row, context, this.now()) : [id];
      },
      picked: (ids, more) => this.pick(ids, more),
      moved: () => this.moved(),
    });
    this.chips = new Chips("State", (values) => {
      this.wish.tones = new Set(values);
      this.changed();
    });
    this.chips.set(this.wish.tones);
    this.head = h("h2", { "aria-live": "polite" }, "In view");
    this.board = h("a", { class: "button" }, "On the board");
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.table = grid(listOptions(context, () => this.now(), (id) => this.pick([id], false, true)));
    this.legendPlace = h("div");
    this.settle = paced(() => this.inView(), 150, signal);
    this.cover = settled(() => void this.readCoverage(), 350);
    this.again = paced(() => this.changed(false, false), AGAIN_MS, signal);
    root.classList.add("full");
    root.append(...this.parts());
    onTheme(() => this.drawLegend(), signal);
    this.drawLegend();
    const keys = this.keys();
    const stop = context.store.onChange((ids) => this.came(ids));
    this.end = () => (stop(), keys());
    if (this.ops) void this.readVendors();
    if (this.wish.vendor) void this.readArea();
  }

  /** @returns {any[]} */
  parts() {
    const { wish } = this;
    const hide = h("input", { type: "checkbox", checked: wish.hide, onchange: () => this.set("hide", hide.checked) });
    const kind = select(
      "Kind",
      [["", "Rides and equipment"], ["trip", "Rides"], ["equipment", "Equipment"]],
      wish.kind,
    );
    kind.addEventListener("change", () => this.set("kind", kind.value));
    this.hide = hide;
    return [
      h("div", { class: "row" }, h("h1", {}, title), this.chips.node, h("span", { class: "grow" })),
      h("div", { class: "row" }, kind, h("label", { class: "row" }, hide, "Hide what is assigned"), ...this.forOps()),
      this.trouble,
      h(
        "div",
        { class: "alongside" },
        this.map.node,
        h("aside", { "aria-label": "The same as a table" }, this.besides(), this.table),
      ),
      this.legendPlace,
    ];
  }

  besides() {
    const exports = h("button", { type: "button", onclick: () => this.table.exportCsv() }, "Export CSV");
    return h("div", { class: "row" }, this.head, h("span", { class: "grow" }), this.board, exports);
  }

  /** @returns {any[]} */
  forOps() {
    if (!this.ops) return [];
    const cover = select("Coverage", [
      ["", "No coverage"],
      ["any", "Coverage by any vendor"],
      ...LEVELS.map((each) => /** @type {[string, string]} */ ([each, `Coverage: ${words(each)}`])),
    ], this.wish.cover);
    cover.addEventListener("change", () => this.set("cover", cover.value));
    this.vendorNames = h("datalist", { id: "map-vendors" });
    const vendor = h("input", {
      type: "search",
      list: "map-vendors",
      value: this.wish.vendor,
      placeholder: "Vendor: area, work today",
      "aria-label": "Vendor: its area, and its work of the day",
    });
    vendor.addEventListener("change", () => this.set("vendor", vendor.value.trim()));
    this.vendorField = vendor;
    return [cover, vendor, this.vendorNames];
  }

  keys() {
    return bind([
      {
        key: "h",
        says: "Hide or show what is assigned",
        act: () => (this.hide && (this.hide.checked = !this.hide.checked), this.set("hide", !this.wish.hide)),
      },
      { key: "m", says: "To the map: arrows move, + and − zoom, 0 shows all", act: () => this.map.node.focus() },
      { key: "b", says: "Pick by drawing a box", act: () => this.map.setBands(!this.map.bands) },
      { key: "o", says: "Open what is picked on the board", act: () => this.board.click() },
      { key: "Escape", says: "Let go of what is picked", act: () => this.pick([], false) },
    ]);
  }

  /** @param {"hide" | "kind" | "cover" | "vendor"} name @param {any} value */
  set(name, value) {
    /** @type {any} */ (this.wish)[name] = value;
    this.trouble.hidden = true;
    if (name === "cover") void this.readCoverage();
    if (name === "vendor") void this.readArea();
    this.changed();
  }

  /** @param {Row} row */
  wants(row) {
    const { zone } = this.context;
    return this.wish.wants(row) && this.wish.isWork(row, zone, zone.date(this.now()));
  }

  /** Requests changed: what is on the map changes at once, all else within a second. @param {Set<string> | null} ids */
  came(ids) {
    const { store } = this.context;
    if (ids === null || store instanceof PastStore) return this.changed(false, !(store instanceof PastStore));
    for (const id of ids) {
      const row = store.get(id);
      this.map.touch(id, row && this.wants(row) ? row : null);
    }
    this.again();
  }

  /** @param {boolean} [kept] @param {boolean} [anew] another filter: the table begins at its top */
  changed(kept = true, anew = true) {
    const { store } = this.context, { wish } = this, rows = store.rows();
    const wanted = rows.filter((row) => this.wants(row));
    this.map.others = wanted.length
      ? []
      : rows.filter((row) => row.from?.length).map((row) => project(row.from[0], row.from[1]));
    this.map.show(wanted, this.now());
    this.counts(rows);
    this.wanted = wanted;
    this.map.showPicked(wish.picked);
    if (kept) wish.keep();
    this.anew ||= anew;
    this.settle();
  }

  /** @param {Row[]} rows */
  counts(rows) {
    const counts = new Array(TONES.length).fill(0);
    for (const row of rows) counts[toneOf(row.state)]++;
    this.chips.show(TONES.map(({ tone, says }, at) => ({ value: tone, says, count: counts[at] })));
  }

  /** The moment that is shown. */
  now() {
    const { store, clock } = this.context;
    return store instanceof PastStore ? store.ms : clock.now();
  }

  moved() {
    this.anew = true;
    this.settle();
    if (this.wish.cover) this.cover();
  }

  inView() {
    const { points } = this.map, found = this.map.inView();
    this.seen = new Set(found.map((at) => points.ids[at]));
    this.list();
  }

  list() {
    const { wish, context } = this, picked = wish.picked.size > 0;
    const found = (this.wanted || []).filter((row) => picked ? wish.picked.has(row.id) : this.seen?.has(row.id));
    const now = this.now(), risky = found.filter((row) => atRisk(row, now)), risks = risky.length;
    const first = new Set(risky), rows = [...risky, ...found.filter((row) => !first.has(row))];
    fill(this.table.none, emptySays(wish, context.store.rows().length > 0, Boolean(this.wanted?.length)));
    this.table.update(rows, { anew: this.anew });
    this.anew = false;
    this.head.textContent = `${rows.length.toLocaleString("en")} ${picked ? "picked" : "in view"}`;
    const ids = rows.slice(0, MOST_IN_LINK).map((row) => row.id).join(",");
    this.board.href = context.href("board", [], { ids });
    this.board.textContent = rows.length > MOST_IN_LINK ? `First ${MOST_IN_LINK} on the board` : "On the board";
    this.board.hidden = !rows.length;
    const hidden = (this.wanted || []).filter((row) => !row.from?.length).length;
    this.map.describe(
      `Map of ${context.market}: ${this.map.points.n} requests, ${rows.length} ${
        picked ? "picked" : "in view"
      }, ${risks} of them at risk` +
        `${hidden ? `; ${hidden} without a place` : ""}. The table beside it has the same.`,
    );
  }

  /** @param {string[]} ids @param {boolean} more @param {boolean} [centre] */
  pick(ids, more, centre = false) {
    const before = more ? this.wish.picked : new Set();
    this.wish.picked = new Set([...before, ...ids.filter((id) => !before.has(id))]);
    if (more) { for (const id of ids) if (before.has(id)) this.wish.picked.delete(id); }
    if (centre && ids.length === 1) this.map.centre(ids[0]);
    this.map.showPicked(this.wish.picked);
    this.wish.keep();
    if (!centre) {
      this.anew = true;
      this.list();
    }
  }

  async readCoverage() {
    const { wish, map, context } = this;
    if (!wish.cover) return map.showCoverage(null);
    try {
      const level = wish.cover === "any" ? "" : wish.cover;
      const found = await context.api.get("/coverage", { ...map.view.bounds(), level }, context.signal);
      map.showCoverage(found);
    } catch (error) {
      this.failed(error);
    }
    this.drawLegend();
  }

  async readVendors() {
    try {
      for await (const each of vendorNames(this.context)) this.vendorNames?.append(each);
    } catch (error) {
      this.failed(error);
    }
  }

  async readArea() {
    const { wish, map, context } = this;
    if (!wish.vendor || !this.ops) return map.showAreas([]);
    try {
      const vendor = await context.api.get(`/vendors/${encodeURIComponent(wish.vendor)}`, {}, context.signal);
      map.showAreas(vendor.service_area);
    } catch (error) {
      map.showAreas([]);
      this.failed(error);
    }
  }

  /** @param {unknown} error */
  failed(error) {
    if (!this.context.signal.aborted) showTrouble(this.trouble, error);
  }

  drawLegend() {
    fill(this.legendPlace, legend(Boolean(this.wish.cover)));
  }
}

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  const page = new MapPage(root, context);
  if (!context.store.loaded && context.store.trouble) {
    root.append(empty("The requests could not be read.", context.store.trouble));
  }
  return page.end;
}
