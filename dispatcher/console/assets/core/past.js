/**
 * A day that can be looked at as it stood at any moment of it: read once, then only computed.
 * @module
 */

/**
 * A page of `…/days/{day}/requests`.
 * @typedef {object} DayPage
 * @property {string} day
 * @property {string} tz
 * @property {string} start
 * @property {string} end
 * @property {string} read_at
 * @property {string[]} states
 * @property {string[]} classes
 * @property {string[]} priorities
 * @property {string[]} vendors
 * @property {string[]} ids
 * @property {number[]} versions
 * @property {boolean[]} is_trip
 * @property {number[]} level
 * @property {number[]} priority
 * @property {number[]} earliest
 * @property {number[]} latest
 * @property {([number, number] | null)[]} pickup
 * @property {([number, number] | null)[]} dropoff
 * @property {string[]} risk
 * @property {[number, number, number][][]} steps
 * @property {[number, number, number | null, number, number][][]} asked
 * @property {string} cursor
 */

/**
 * What one vendor was asked: from when it was its own until when, and the work's span. Times are ms, `until` is
 * Infinity where it has it still.
 * @typedef {{ vendor: string, made: number, until: number, start: number, end: number }} Attempt
 */

/** A request over its day. @typedef {{ row: any, at: Float64Array, states: string[], vendors: string[], attempts: Attempt[] }} Life */

const MOST_PAGES = 20;
const ENDED = new Set(["completed", "no_show", "cancelled", "failed", "unmatched"]);

/** A market's day, by request. */
export class PastDay {
  /** @param {DayPage[]} pages */
  constructor(pages) {
    const [first] = pages;
    this.day = first.day;
    this.start = Date.parse(first.start);
    this.end = Date.parse(first.end);
    this.readAt = Date.parse(first.read_at);
    /** Whether there is more than was read. */
    this.cut = pages.at(-1)?.cursor !== "";
    /** @type {Life[]} */
    this.lives = pages.flatMap((page) => page.ids.map((_, at) => life(page, at)));
  }

  /** Until when there is something to see. */
  get last() {
    return Math.min(this.end, Math.max(this.start, this.readAt));
  }

  /**
   * Every request that had come in by then, as it stood: rows like those of the board.
   * @param {number} ms
   */
  rows(ms) {
    const found = [];
    for (const each of this.lives) {
      const step = stepAt(each.at, ms);
      if (step >= 0) found.push(standing(each, step, ms));
    }
    return found;
  }

  /** How many steps each part of the day had: the trace below the slider. @param {number} parts */
  traffic(parts) {
    const counts = new Uint32Array(parts), span = (this.end - this.start) / parts;
    for (const { at } of this.lives) {
      for (const ms of at) {
        const part = Math.floor((ms - this.start) / span);
        if (part >= 0 && part < parts) counts[part]++;
      }
    }
    return counts;
  }

  /** When anything happened after this moment; Infinity: nothing did. @param {number} ms */
  next(ms) {
    let best = Infinity;
    for (const { at } of this.lives) for (const each of at) if (each > ms && each < best) best = each;
    return best;
  }

  /** The last moment before this one when anything happened; -Infinity: nothing did. @param {number} ms */
  before(ms) {
    let best = -Infinity;
    for (const { at } of this.lives) for (const each of at) if (each < ms && each > best) best = each;
    return best;
  }
}

/**
 * Read all pages of a day.
 * @param {import("./api.js").Api} api
 * @param {string} day
 * @param {AbortSignal} [signal]
 */
export async function readDay(api, day, signal) {
  const pages = [];
  for await (const page of api.pages(`/days/${day}/requests`, {}, signal)) {
    pages.push(page);
    if (pages.length >= MOST_PAGES) break;
  }
  return new PastDay(pages);
}

/**
 * @param {DayPage} page
 * @param {number} nth
 * @returns {Life}
 */
function life(page, nth) {
  const start = Date.parse(page.start);
  const seconds = (/** @type {number} */ s) => start + s * 1000;
  const minutes = (/** @type {number} */ m) => start + m * 60_000;
  const steps = page.steps[nth];
  const row = {
    id: page.ids[nth],
    version: page.versions[nth],
    kind: page.is_trip[nth] ? "trip" : "equipment",
    class: page.classes[page.level[nth]] || "",
    priority: page.priorities[page.priority[nth]],
    earliest: minutes(page.earliest[nth]),
    latest: minutes(page.latest[nth]),
    received: seconds(steps[0][0]),
    from: page.pickup[nth] || [],
    to: page.dropoff[nth] || [],
    why: page.risk[nth],
  };
  return {
    row,
    at: Float64Array.from(steps, ([s]) => seconds(s)),
    states: steps.map(([, state]) => page.states[state]),
    vendors: steps.map(([, , vendor]) => page.vendors[vendor] || ""),
    attempts: page.asked[nth].map(([vendor, made, closed, from, to]) => ({
      vendor: page.vendors[vendor] || "",
      made: seconds(made),
      until: closed === null ? Infinity : seconds(closed),
      start: minutes(from),
      end: minutes(to),
    })),
  };
}

/** The last step that was done by then; -1: none. @param {Float64Array} at @param {number} ms */
function stepAt(at, ms) {
  let found = -1;
  while (found + 1 < at.length && at[found + 1] <= ms) found++;
  return found;
}

/**
 * @param {Life} life
 * @param {number} step
 * @param {number} ms
 */
function standing(life, step, ms) {
  const state = life.states[step], vendor = life.vendors[step];
  const has = vendor ? life.attempts.findLast((each) => each.vendor === vendor && each.made <= ms) : undefined;
  return {
    ...life.row,
    state,
    status: "",
    vendor,
    start: has?.start ?? 0,
    end: has?.end ?? 0,
    cents: 0,
    offer: "",
    expires: 0,
    match_by: 0,
    episode: "",
    owner: "",
    waits: [],
    tasks: [],
    facility: "",
    standing_order: "",
    due: 0,
    ended: ENDED.has(state) ? life.at[step] : 0,
    risk: ENDED.has(state) || !life.row.why ? "" : "sequence",
  };
}

/**
 * What is booked at a moment: spans of the work that vendors were asked for or had. Work that was done keeps
 * its span.
 * @param {PastDay} day
 * @param {number} ms
 * @returns {import("../parts/gantt/cells.js").Work[]}
 */
export function booked(day, ms) {
  const found = [];
  for (const { id, class: level, vendor, start, end, state, risk } of day.rows(ms)) {
    if (vendor && end) found.push({ id, class: level, vendor, start, end, state, risk });
  }
  return found;
}

/** A moment of a day in the place of the live store: pages show it without knowing. */
export class PastStore {
  /** @param {PastDay} day @param {number} ms */
  constructor(day, ms) {
    this.day = day;
    this.loaded = true;
    this.trouble = "";
    /** @type {Set<(ids: Set<string> | null) => void>} */
    this.listeners = new Set();
    this.ms = ms;
    /** @type {Map<string, any>} */
    this.byId = new Map();
    this.stand(ms);
  }

  /** Stand at another moment. @param {number} ms */
  stand(ms) {
    this.ms = ms;
    this.byId = new Map(this.day.rows(ms).map((row) => [row.id, row]));
    for (const each of this.listeners) each(null);
  }

  rows() {
    return [...this.byId.values()];
  }

  /** @param {string} id */
  get(id) {
    return this.byId.get(id);
  }

  /** @param {(ids: Set<string> | null) => void} listener */
  onChange(listener) {
    this.listeners.add(listener);
    listener(null);
    return () => this.listeners.delete(listener);
  }

  async load() {}

  close() {}
}
