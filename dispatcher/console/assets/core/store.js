/**
 * The market's requests, mirrored: read whole once, then kept by live changes.
 * @module
 */

import { framed } from "./dom.js";

/**
 * One request, as every page sees it: ids and coarse positions, no patient. Times are ms since the epoch, 0: none.
 * @typedef {object} Row
 * @property {string} id
 * @property {number} version
 * @property {"trip" | "equipment"} kind
 * @property {string} state
 * @property {string} status what its vendor reported last: en_route, at_pickup …; "" none
 * @property {string} class what a unit has to serve: wheelchair, stretcher, delivery …
 * @property {string} priority
 * @property {number} received
 * @property {number} earliest start of the window
 * @property {number} latest
 * @property {number} match_by
 * @property {string} vendor who is asked for it, or has it
 * @property {number} start agreed or offered
 * @property {number} cents price agreed or offered
 * @property {string} offer id of the offer that counts
 * @property {number} expires when that offer is answered by its time limit
 * @property {number} asked how many offers there were
 * @property {string} episode
 * @property {string} owner whose work it is now
 * @property {string[]} waits what it waits for, on hold
 * @property {string[]} tasks
 * @property {string} facility
 * @property {string} standing_order
 * @property {number[]} from [lon, lat], the centre of a square of about 2 km; [] not known (yet)
 * @property {number[]} to
 * @property {string} risk why somebody may have to look: nobody_left, sequence, amendment, on_hold, no_vendor,
 *   counter, unanswered, overdue, report; "" it has ended
 * @property {number} due until when
 * @property {string} why what is known of the reason: the last rule, what it waits for
 * @property {number} ended when it ended; 0 it goes on
 */

/** @typedef {{ columns: string[], rows: any[][], gone?: string[], now?: number }} Board */

/** Rows by id, in the order of the service. */
export class Store {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./live.js").Live} live
   * @param {import("./time.js").Clock} clock
   */
  constructor(api, live, clock) {
    this.api = api;
    this.clock = clock;
    /** @type {Map<string, Row>} */
    this.byId = new Map();
    this.loaded = false;
    /** @type {string} what went wrong with reading all; "" nothing */
    this.trouble = "";
    /** @type {Set<(ids: Set<string> | null) => void>} */
    this.listeners = new Set();
    /** @type {Set<string> | null} changed since the last frame; null: all */
    this.changed = new Set();
    this.announce = framed(() => this.tell());
    this.stop = live.onChange((change) => this.apply(change));
    this.reading = false;
    this.readAgain = false;
    /** @type {import("./live.js").Change["rows"][]} what changed while all was being read */
    this.meanwhile = [];
  }

  /** Every row. @returns {Row[]} */
  rows() {
    return [...this.byId.values()];
  }

  /** @param {string} id */
  get(id) {
    return this.byId.get(id);
  }

  /**
   * Hear at most once a frame which rows changed (null: all of them), until what is returned is called.
   * @param {(ids: Set<string> | null) => void} listener
   */
  onChange(listener) {
    this.listeners.add(listener);
    if (this.loaded) listener(null);
    return () => this.listeners.delete(listener);
  }

  /**
   * Read all, once however often it is asked; once more if it is asked while it is read. What changes meanwhile
   * may be newer than what is on its way: it is laid over that.
   */
  async load() {
    this.readAgain = this.reading;
    if (this.reading) return;
    this.reading = true;
    this.meanwhile = [];
    try {
      const board = await this.api.get("/board");
      this.byId = new Map(rowsOf(board).map((row) => [row.id, row]));
      for (const rows of this.meanwhile) this.lay(rows, true);
      if (board.now) this.clock.hear(board.now);
      this.loaded = true;
      this.trouble = "";
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
    } finally {
      this.reading = false;
      this.meanwhile = [];
      this.changed = null;
      this.announce();
    }
    if (this.readAgain) await this.load();
  }

  /** @param {import("./live.js").Change} change */
  apply(change) {
    if (change.now) this.clock.hear(change.now);
    if (change.again) return void this.load();
    if (!change.rows) return;
    if (this.reading) this.meanwhile.push(change.rows);
    this.lay(change.rows);
    this.announce();
  }

  /**
   * Rows over those that are there; `unlessOlder`: a row of an earlier version than what is there is left out.
   * @param {import("./live.js").Change["rows"]} rows
   * @param {boolean} [unlessOlder]
   */
  lay(rows, unlessOlder = false) {
    if (!rows) return;
    for (const row of rowsOf(rows)) {
      if (unlessOlder && (this.byId.get(row.id)?.version ?? 0) > row.version) continue;
      this.byId.set(row.id, row);
      this.changed?.add(row.id);
    }
    for (const id of rows.gone || []) {
      this.byId.delete(id);
      this.changed?.add(id);
    }
  }

  tell() {
    const changed = this.changed;
    this.changed = new Set();
    for (const each of this.listeners) each(changed);
  }

  close() {
    this.stop();
  }
}

/**
 * Columns as rows.
 * @param {Board} board
 * @returns {Row[]}
 */
export function rowsOf(board) {
  const { columns } = board;
  return board.rows.map((values) => {
    /** @type {Record<string, any>} */
    const row = {};
    for (let at = 0; at < columns.length; at++) row[columns[at]] = values[at];
    return /** @type {Row} */ (row);
  });
}
