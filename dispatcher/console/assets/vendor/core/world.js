/**
 * What the vendor has: open offers, and the dispatches of today and tomorrow; read again when something changes.
 * @module
 */

import { Problem } from "../../core/api.js";
import { settled } from "../../core/dom.js";
import { ms } from "./times.js";

/**
 * @typedef {object} Parts
 * @property {import("../../core/api.js").Api} api
 * @property {import("./times.js").ServiceClock} clock
 * @property {import("./times.js").Times} times
 */

const FAR_DAYS = 1, AGAIN_MS = [1_000, 2_000, 5_000, 15_000], GONE = [404, 409], PATIENCE_MS = 20_000;

export class World {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {any[]} */
    this.offers = [];
    /** @type {Map<string, any>} */
    this.dispatches = new Map();
    this.loaded = false;
    this.kept = 0; // since when we know no more, without the service
    /** @type {unknown} */
    this.error = null;
    this.live = false;
    this.last = "";
    /** @type {Record<string, number>} */
    this.unread = {}; // messages, by dispatch, of those that are not over
    /** @type {Map<string, string>} */
    this.looked = new Map(); // days that somebody wanted to see beside today and tomorrow: what is said of an empty one
    this.ended = new AbortController();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.turns = 0;
    this.readAt = 0; // when what is shown was asked for
    this.reads = false;
    this.more = false; // and is to be read once more
    /** @type {Set<string>} */
    this.told = new Set(); // dispatches of which something was told since they were read
    this.all = false;
    this.soon = settled(() => void this.inTurn(), 150);
    addEventListener("online", () => this.back());
    document.addEventListener("visibilitychange", () => document.hidden || this.again());
  }

  /** Read again, in a moment: all of it, or what this is about. @param {string} [about] */
  again(about) {
    if (about) this.told.add(about);
    else this.all = true;
    this.soon();
  }

  /** One after the other: where a call lasts longer than it is between two changes, none would ever be through. */
  async inTurn() {
    this.more = true;
    if (this.reads) return;
    this.reads = true;
    while (this.more) {
      const all = this.all;
      this.more = this.all = false;
      const late = new Promise((done) => setTimeout(done, PATIENCE_MS)); // it may never come back
      await Promise.race([this.refresh(all), late]);
    }
    this.reads = false;
  }

  /** @param {() => void} listener @param {AbortSignal} [signal] */
  onChange(listener, signal) {
    this.listeners.add(listener);
    signal?.addEventListener("abort", () => this.listeners.delete(listener));
  }

  changed() {
    for (const each of this.listeners) each();
  }

  /** Offers that wait for an answer. */
  get open() {
    return this.offers.filter((each) => each.state === "requested");
  }

  /** The dispatches of a day, in order. @param {string} date */
  day(date) {
    const of = [...this.dispatches.values()].filter((each) => this.parts.times.date(each.offer.start_at) === date);
    return of.sort((one, other) => ms(one.offer.start_at) - ms(other.offer.start_at));
  }

  /** Read offers, and the dispatches that may be others than we know; `all`: the days, too. @param {boolean} [all] */
  async refresh(all = !this.loaded) {
    const turn = ++this.turns, asked = performance.now();
    try {
      const { data, kept } = await this.parts.api.call("GET", "/offers");
      if (turn !== this.turns) return; // one that began later tells
      this.kept = kept && this.parts.clock.now() - (Date.now() - kept); // by the service's clock
      this.error = null;
      this.offers = data.offers;
      this.unread = data.unread || {};
      await this.follows(all);
      this.loaded = true;
      if (!kept) this.readAt = asked;
    } catch (error) {
      this.error = error;
    }
    this.changed();
  }

  /** @param {boolean} all */
  async follows(all) {
    const near = this.offers.filter((each) => this.near(each)), told = [...this.told];
    this.told.clear();
    let lost = null;
    if (all) await Promise.all([...this.days()].map((each) => this.read(each).catch((error) => lost = error)));
    const unsure = near.map(named).filter((each) => !this.dispatches.has(each));
    if (!all) unsure.push(...told.filter((each) => this.dispatches.has(each)));
    for (const each of near) {
      const known = this.dispatches.get(each.id);
      if (known) this.dispatches.set(each.id, { ...known, offer: each, unread: this.unread[each.id] || 0 });
    }
    if (all) this.forget(new Set(near.map(named)));
    await Promise.all([...new Set(unsure)].map((each) => this.dispatch(each).catch(() => undefined)));
    if (lost) throw lost;
  }

  /** What is neither of a day that is shown nor to be done. @param {Set<string>} near */
  forget(near) {
    const days = this.days();
    for (const [id, each] of this.dispatches) {
      if (!near.has(id) && !days.has(this.parts.times.date(each.offer.start_at))) this.dispatches.delete(id);
    }
  }

  /** Days that are shown. */
  days() {
    const { times, clock } = this.parts, today = times.date(clock.now());
    return new Set([today, times.later(today, FAR_DAYS), ...this.looked.keys()]);
  }

  /** From here on that day is read, too. @param {string} date */
  async look(date) {
    if (this.looked.has(date)) return;
    this.looked.set(date, "loading");
    await this.read(date).catch(() => this.looked.set(date, "error.away"));
    this.changed();
  }

  /** The dispatches of a day with door and name, those that are over, too. @param {string} date */
  async read(date) {
    const found = [];
    for await (const page of this.parts.api.pages("/dispatches", { day: date })) found.push(...page.dispatches);
    for (const each of this.day(date)) this.dispatches.delete(each.id);
    for (const each of found) this.dispatches.set(each.id, each);
    if (this.looked.has(date)) this.looked.set(date, "day.none");
  }

  /** How many messages of a dispatch this person has not read. @param {string} id @returns {number} */
  unreadOn(id) {
    return this.unread[id] ?? this.dispatches.get(id)?.unread ?? 0;
  }

  /** Messages of those dispatches that this person has not read. */
  get news() {
    return [...this.dispatches.keys()].reduce((sum, each) => sum + this.unreadOn(each), 0);
  }

  /** They were read just now. @param {string} id */
  seen(id) {
    const known = this.dispatches.get(id);
    if (!this.unreadOn(id)) return;
    this.unread[id] = 0;
    if (known) this.dispatches.set(id, { ...known, unread: 0 });
    this.changed();
  }

  /** Read a dispatch with door and name. @param {string} id */
  async dispatch(id) {
    try {
      const found = await this.parts.api.get(`/dispatches/${id}`);
      this.dispatches.set(id, found);
      return found;
    } catch (error) {
      if (error instanceof Problem && GONE.includes(error.status) && this.dispatches.delete(id)) this.again();
      throw error;
    }
  }

  /** As it is known, or read now; without a connection as its day has it. Null: nobody knows it. @param {string} id */
  async known(id) {
    if (!this.dispatches.has(id)) await this.dispatch(id).catch(() => this.refresh(true));
    return this.dispatches.get(id) || null;
  }

  /** @param {any} offer whether it is work of today or tomorrow, or is late */
  near(offer) {
    const { times, clock } = this.parts, last = times.later(times.date(clock.now()), FAR_DAYS);
    return offer.state === "accepted" && times.date(offer.start_at) <= last;
  }

  /** Hear what changes until the page goes. */
  async follow() {
    for (let failures = 0; !this.ended.signal.aborted;) {
      try {
        await this.parts.api.stream("/events", (id, data) => this.heard(id, data), {
          after: this.last,
          signal: this.ended.signal,
          opened: () => {
            failures = 0;
            this.become(true);
            this.again();
          },
        });
      } catch { /* it is tried again */ }
      this.become(false);
      await new Promise((done) => setTimeout(done, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]));
    }
  }

  /** @param {string} id @param {any} data */
  heard(id, data) {
    if (id) this.last = id;
    if (!data) return;
    this.again(data.data.offer_id || data.data.offer?.id);
    dispatchEvent(new CustomEvent("told", { detail: data }));
  }

  /** There is a connection again: panels that read by themselves do so, too. */
  back() {
    this.again();
    dispatchEvent(new Event("back"));
  }

  /** @param {boolean} live */
  become(live) {
    if (live === this.live) return;
    this.live = live;
    this.changed();
    if (live) this.back();
  }
}

/** @param {any} offer @returns {string} */
const named = (offer) => offer.id;
