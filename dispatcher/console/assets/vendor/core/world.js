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
 * @property {string} vendor
 */

const KNOWN = "dispatcher-vendor-known",
  FAR_DAYS = 1,
  AGAIN_MS = [1_000, 2_000, 5_000, 15_000],
  GONE = [404, 409],
  ARRIVED = "dispatch.message.arrived";

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
    /** @type {Set<string>} */
    this.unread = new Set(); // dispatches on which somebody wrote since this page was opened
    this.ended = new AbortController();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.turns = 0;
    /** @type {Set<string>} */
    this.told = new Set(); // dispatches of which something was told since they were read
    this.all = false;
    this.soon = settled(() => {
      const all = this.all;
      this.all = false;
      void this.refresh(all);
    }, 150);
    addEventListener("online", () => this.again());
    document.addEventListener("visibilitychange", () => document.hidden || this.again());
  }

  /** Read again, in a moment: all of it, or what this is about. @param {string} [about] */
  again(about) {
    if (about) this.told.add(about);
    else this.all = true;
    this.soon();
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

  /** Read offers, and the dispatches that may be others than we know; `all`: each of them. @param {boolean} [all] */
  async refresh(all = false) {
    const turn = ++this.turns;
    try {
      const { data, kept } = await this.parts.api.call("GET", "/offers");
      if (turn !== this.turns) return; // one that began later tells
      this.kept = kept && this.parts.clock.now() - (Date.now() - kept); // by the service's clock
      this.error = null;
      this.offers = data.offers;
      await this.follows(all);
      this.remember();
    } catch (error) {
      this.error = error;
    }
    this.loaded = true;
    this.changed();
  }

  /** @param {boolean} all */
  async follows(all) {
    const near = this.offers.filter((each) => this.near(each)), wanted = new Set([...near.map(named), ...this.known()]);
    const unsure = [...wanted].filter((each) => all || this.told.has(each) || !this.dispatches.has(each));
    for (const each of this.dispatches.keys()) if (!wanted.has(each)) this.dispatches.delete(each);
    for (const each of near) {
      const known = this.dispatches.get(each.id);
      if (known) this.dispatches.set(each.id, { ...known, offer: each });
    }
    this.told.clear();
    await Promise.all(unsure.map((each) => this.dispatch(each).catch(() => undefined)));
  }

  /** Read a dispatch with door and name. @param {string} id */
  async dispatch(id) {
    try {
      const found = await this.parts.api.get(`/dispatches/${id}`);
      this.dispatches.set(id, found);
      return found;
    } catch (error) {
      if (error instanceof Problem && GONE.includes(error.status)) this.dispatches.delete(id);
      throw error;
    }
  }

  /** @param {any} offer whether it is work of today or tomorrow, or is late */
  near(offer) {
    const { times, clock } = this.parts, last = times.later(times.date(clock.now()), FAR_DAYS);
    return offer.state === "accepted" && times.date(offer.start_at) <= last;
  }

  /** Whose dispatches these are: an id of a vendor is of one market. */
  get owner() {
    return `${this.parts.api.market}/${this.parts.vendor}`;
  }

  /** Which dispatches were seen today: what has ended is listed no more by the service. */
  known() {
    const kept = JSON.parse(localStorage.getItem(KNOWN) || "{}"), { times, clock } = this.parts;
    const today = times.date(clock.now());
    return kept.owner === this.owner ? Object.keys(kept.days || {}).filter((each) => kept.days[each] >= today) : [];
  }

  remember() {
    const days = Object.fromEntries(
      [...this.dispatches].map(([id, each]) => [id, this.parts.times.date(each.offer.start_at)]),
    );
    localStorage.setItem(KNOWN, JSON.stringify({ owner: this.owner, days }));
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
    if (data.type === ARRIVED) this.unread.add(data.data.offer_id);
    this.again(data.data.offer_id || data.data.offer?.id);
    dispatchEvent(new CustomEvent("told", { detail: data }));
  }

  /** @param {boolean} live */
  become(live) {
    if (live === this.live) return;
    this.live = live;
    this.changed();
  }
}

/** @param {any} offer @returns {string} */
const named = (offer) => offer.id;
