/**
 * What changes, as it changes: one stream a browser. The tab that holds a lock reads it and tells the others;
 * when it goes, another takes over, and everybody reads all again.
 * @module
 */

import { Api, Problem } from "./api.js";

/**
 * What came: rows of requests as they stand now, and the events that told of it;
 * `again`: what was missed is not known, so all is to be read again.
 * @typedef {object} Change
 * @property {{ columns: string[], rows: any[][], gone: string[] }} [rows]
 * @property {boolean} [again]
 * @property {number} [now] the service's clock
 * @property {number} [late_s] of what happened so many seconds ago some is still to come
 * @property {Record<string, string[]>} [kinds] by type of event what it was about: up to 50 ids of each
 */

/** @typedef {"live" | "late" | "stale" | "off"} Status late: so much happens that rows come some seconds later */

/** What each is called where it is shown. @type {Record<Status, string>} */
export const STATUS = { live: "Live", late: "Busy: rows come late", stale: "Stale: reconnecting", off: "Connecting" };

const LATE_S = 5;

const PATIENCE_MS = 40_000; // the service says every 15 s that it is there
const FOLLOWS_MS = 150; // who does not lead by then follows
const AGAIN_MS = [500, 1_000, 2_000, 5_000, 10_000];

/**
 * How it is once this came; what says nothing of being late leaves that as it was.
 * @param {Status} before
 * @param {Change | null | undefined} change
 * @returns {Status}
 */
export function after(before, change) {
  if (!change) return before === "late" ? "late" : "live";
  return (change.late_s ?? 0) > LATE_S ? "late" : "live";
}

/** The live changes of one market, shared by all tabs of this browser. */
export class Live {
  /** @param {string} market */
  constructor(market) {
    this.api = new Api(market);
    this.channel = new BroadcastChannel(`dispatcher ${location.port} ${market}`);
    /** @type {Set<(change: Change) => void>} */
    this.listeners = new Set();
    /** @type {Set<(status: Status) => void>} */
    this.watchers = new Set();
    /** @type {Status} */
    this.status = "off";
    this.leads = false;
    this.ended = new AbortController();
    this.heardAt = performance.now();
    this.channel.onmessage = (message) => this.heard(message.data);
    this.timer = setInterval(() => this.lookWhetherStale(), 2_000);
    addEventListener("offline", () => this.become("stale"), { signal: this.ended.signal }); // known before it is missed
    this.lead();
    setTimeout(() => this.leads || this.heard({ change: { again: true } }), FOLLOWS_MS);
  }

  /**
   * Hear changes until what is returned is called.
   * @param {(change: Change) => void} listener
   */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Hear whether what is shown is live.
   * @param {(status: Status) => void} watcher
   */
  onStatus(watcher) {
    this.watchers.add(watcher);
    watcher(this.status);
    return () => this.watchers.delete(watcher);
  }

  close() {
    this.ended.abort();
    clearInterval(this.timer);
    this.channel.close();
  }

  async lead() {
    const name = this.channel.name;
    const hold = async () => {
      this.leads = true;
      await this.follow();
    };
    if (!navigator.locks) return hold();
    await navigator.locks.request(name, { signal: this.ended.signal }, hold).catch(() => undefined);
  }

  async follow() {
    for (let failures = 0; !this.ended.signal.aborted;) {
      try {
        await this.read(() => failures = 0);
      } catch (error) {
        if (this.ended.signal.aborted) return;
        if (error instanceof Problem && error.status === 401) dispatchEvent(new CustomEvent("signed-out"));
        if (!failures) this.heard({ change: { again: true } }); // the page says what is wrong
      }
      this.tell({ status: "stale" });
      await new Promise((done) => setTimeout(done, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]));
    }
  }

  /** @param {() => void} opened */
  async read(opened) {
    await this.api.stream("/board/changes", (_, data) => this.tell({ change: data }), {
      signal: this.ended.signal,
      opened: () => {
        opened();
        this.tell({ change: { again: true } });
      },
    });
  }

  /** Tell this tab and the others. @param {{ change?: Change | null, status?: Status }} told */
  tell(told) {
    this.channel.postMessage(told);
    this.heard(told);
  }

  /** @param {{ change?: Change | null, status?: Status }} told */
  heard(told) {
    this.heardAt = performance.now();
    this.become(told.status || after(this.status, told.change));
    if (told.change) { for (const each of this.listeners) each(told.change); }
  }

  lookWhetherStale() {
    if (performance.now() - this.heardAt > PATIENCE_MS && (this.status === "live" || this.status === "late")) {
      this.become("stale");
    }
  }

  /** @param {Status} status */
  become(status) {
    if (status === this.status) return;
    if (this.status === "stale") dispatchEvent(new CustomEvent("back"));
    this.status = status;
    for (const each of this.watchers) each(status);
  }
}
