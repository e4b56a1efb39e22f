/**
 * Vendors' day as cells: what is booked of what is posted in each bucket of five minutes, and the rows' figures.
 * @module
 */

/**
 * What `…/days/{day}/capacity` answers.
 * @typedef {object} DayCapacity
 * @property {string} day
 * @property {string} start
 * @property {string} end
 * @property {number} buckets
 * @property {string[]} vendor
 * @property {string[]} name
 * @property {boolean[]} takes_work
 * @property {string[]} pool
 * @property {string[][]} serves
 * @property {number[][]} posted
 * @property {number[][]} booked
 * @property {number[]} daily_cap
 * @property {number[]} daily_booked
 * @property {number} left_off
 */

/** @typedef {{ id: string, class: string, vendor: string, start: number, end: number, state: string, risk: string }} Work */

export const BUCKET_MS = 300_000;

/**
 * Runs as one number a bucket, added to what is there.
 * @param {number[]} runs
 * @param {Uint16Array} into
 */
export function addRuns(runs, into) {
  let at = 0;
  for (let turn = 0; turn + 1 < runs.length; turn += 2) {
    const end = Math.min(into.length, at + runs[turn + 1]);
    for (; at < end; at++) into[at] += runs[turn];
  }
}

/** One vendor's row: two numbers a bucket, and what of it is at risk. */
export class Row {
  /**
   * @param {string} vendor
   * @param {string} name
   * @param {boolean} takesWork
   * @param {number} buckets
   */
  constructor(vendor, name, takesWork, buckets) {
    this.vendor = vendor;
    this.name = name;
    this.takesWork = takesWork;
    this.posted = new Uint16Array(buckets);
    this.booked = new Uint16Array(buckets);
    /** @type {Work[]} by start */
    this.works = [];
    this.capBooked = 0;
    this.cap = 0;
  }

  /** Hours booked and posted, the share of the two, how much is at risk. */
  get figures() {
    let posted = 0, booked = 0, over = 0;
    for (let at = 0; at < this.posted.length; at++) {
      posted += this.posted[at];
      booked += this.booked[at];
      if (this.booked[at] > this.posted[at]) over++;
    }
    const hours = BUCKET_MS / 3_600_000;
    return {
      posted: posted * hours,
      booked: booked * hours,
      share: posted ? booked / posted : booked ? 1 : 0,
      over,
      risks: this.works.filter((each) => each.risk).length,
    };
  }
}

/** All rows of a day, for one level of service or for all. */
export class Gantt {
  /**
   * @param {DayCapacity} capacity
   * @param {string} level "" for all
   * @param {Work[] | null} works what is booked, by request; null: that was not read yet
   * @param {boolean} [fromWorks] count what is booked from `works`, not from the ledger: a moment of the past
   */
  constructor(capacity, level, works, fromWorks = false) {
    this.start = Date.parse(capacity.start);
    this.buckets = capacity.buckets;
    /** @type {Map<string, Row>} */
    const rows = new Map();
    capacity.vendor.forEach((vendor, at) => {
      if (level && !capacity.serves[at].includes(level)) return;
      let row = rows.get(vendor);
      if (!row) rows.set(vendor, row = new Row(vendor, capacity.name[at], capacity.takes_work[at], this.buckets));
      addRuns(capacity.posted[at], row.posted);
      if (!fromWorks) addRuns(capacity.booked[at], row.booked);
      row.cap += capacity.daily_cap[at];
      row.capBooked += capacity.daily_booked[at];
    });
    this.isRead = works !== null;
    for (const work of works ?? []) {
      const row = rows.get(work.vendor);
      if (!row || (level && work.class !== level)) continue;
      row.works.push(work);
      if (fromWorks) this.count(row, work);
    }
    for (const row of rows.values()) row.works.sort((a, b) => a.start - b.start);
    this.rows = [...rows.values()];
  }

  /** @param {Row} row @param {Work} work */
  count(row, work) {
    const [from, to] = this.span(work);
    for (let at = from; at < to; at++) row.booked[at]++;
  }

  /** From which bucket to which a work goes, within the day. @param {Work} work @returns {[number, number]} */
  span(work) {
    const from = Math.floor((work.start - this.start) / BUCKET_MS), to = Math.ceil((work.end - this.start) / BUCKET_MS);
    return [Math.max(0, Math.min(this.buckets, from)), Math.max(0, Math.min(this.buckets, to))];
  }

  /** The works of a row in a bucket. @param {Row} row @param {number} bucket */
  behind(row, bucket) {
    return row.works.filter((work) => {
      const [from, to] = this.span(work);
      return from <= bucket && bucket < to;
    });
  }

  /** When a bucket begins, ms. @param {number} bucket */
  time(bucket) {
    return this.start + bucket * BUCKET_MS;
  }
}

/** @typedef {{ none: number, steps: number[], over: number, paused: number }} Paints */

/**
 * The colour of a cell: nothing posted, a step by the share that is booked, full, over.
 * @param {number} posted
 * @param {number} booked
 * @param {Paints} paints
 */
export function paintOf(posted, booked, paints) {
  if (booked > posted) return paints.over;
  if (!posted) return paints.none;
  return paints
    .steps[booked === posted ? paints.steps.length - 1 : Math.floor(booked / posted * (paints.steps.length - 1))];
}

/**
 * Paint rows into a buffer of pixels: each row `height` pixels, `gap` of them left free below it.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {Row[]} rows
 * @param {{ height: number, gap: number, paints: Paints, from?: number, to?: number }} how from, to: the buckets shown
 */
export function paint(pixels, width, rows, how) {
  const { height, gap, paints } = how, from = how.from ?? 0;
  const buckets = (how.to ?? rows[0]?.posted.length ?? 0) - from;
  const edges = Uint32Array.from({ length: buckets + 1 }, (_, at) => Math.round(at * width / buckets));
  rows.forEach((row, nth) => {
    const top = nth * height * width, line = Math.max(1, height - gap);
    if (top + line * width > pixels.length) return;
    for (let at = 0; at < buckets;) {
      const ink = paintOf(row.posted[from + at], row.booked[from + at], paints);
      let end = at + 1;
      while (end < buckets && paintOf(row.posted[from + end], row.booked[from + end], paints) === ink) end++;
      pixels.fill(ink, top + edges[at], top + edges[end]);
      at = end;
    }
    for (let y = 1; y < line; y++) pixels.copyWithin(top + y * width, top, top + width);
  });
}
