/**
 * Requests as numbers, side by side: what a map draws in a frame.
 * @module
 */

import { atRisk } from "../words.js";
import { project } from "./projection.js";

/**
 * How a state is told from others: its colour in every list, paler once it is over, and a fill, for
 * nothing is told by colour alone. `waits`: nobody has taken it.
 * @type {{ tone: string, paint: string, says: string, states: string[], fill: "ring" | "target" | "full" | "cross", waits: boolean }[]}
 */
export const TONES = [
  {
    tone: "seeking",
    paint: "--state-matching",
    says: "Seeking a vendor",
    states: ["received", "matching"],
    fill: "ring",
    waits: true,
  },
  { tone: "on-hold", paint: "--state-on_hold", says: "On hold", states: ["on_hold"], fill: "ring", waits: true },
  {
    tone: "unmatched",
    paint: "--state-unmatched",
    says: "Unmatched",
    states: ["unmatched"],
    fill: "cross",
    waits: true,
  },
  { tone: "offered", paint: "--state-offered", says: "Offered", states: ["offered"], fill: "target", waits: true },
  { tone: "accepted", paint: "--state-accepted", says: "Accepted", states: ["accepted"], fill: "full", waits: false },
  {
    tone: "under-way",
    paint: "--state-in_progress",
    says: "Under way",
    states: ["in_progress"],
    fill: "full",
    waits: false,
  },
  { tone: "done", paint: "--map-done", says: "Completed", states: ["completed"], fill: "full", waits: false },
  {
    tone: "ended",
    paint: "--map-ended",
    says: "Ended without service",
    states: ["cancelled", "failed", "no_show"],
    fill: "cross",
    waits: false,
  },
];
const TONE_OF = new Map(TONES.flatMap(({ states }, tone) => states.map((state) => [state, tone])));

/** @param {string} state */
export function toneOf(state) {
  return TONE_OF.get(state) ?? 0;
}

/** @typedef {import("../../core/store.js").Row} Shown */

const SPREAD = 0.008; // degrees of latitude: within the square of 0.018 that the service tells

/** Where in its square a request is drawn: by its id, so that it stays there. @param {string} id */
function place(id) {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  hash = Math.imul(hash ^ hash >>> 15, 2246822507);
  hash ^= hash >>> 13;
  return [((hash & 0xffff) / 0xffff - 0.5) * 2, ((hash >>> 16) / 0xffff - 0.5) * 2];
}

/** Requests that have a place. */
export class Points {
  /**
   * @param {Iterable<Shown>} rows
   * @param {number} [now] ms: who is at risk by then is marked
   */
  constructor(rows, now = 0) {
    this.now = now;
    const placed = [...rows].filter((row) => row.from?.length);
    const n = this.n = placed.length;
    /** @type {string[]} */
    this.ids = new Array(n);
    this.x = new Float64Array(n);
    this.y = new Float64Array(n);
    this.toX = new Float64Array(n).fill(NaN);
    this.toY = new Float64Array(n).fill(NaN);
    this.isTrip = new Uint8Array(n);
    this.tone = new Uint8Array(n);
    this.risk = new Uint8Array(n);
    /** @type {Map<string, number>} */
    this.at = new Map();
    placed.forEach((row, at) => this.put(at, row));
  }

  /**
   * @param {number} at
   * @param {Shown} row
   */
  put(at, row) {
    const [lon, lat] = /** @type {number[]} */ (row.from), [aside, down] = place(row.id);
    const wider = 1 / Math.max(0.02, Math.cos(lat * Math.PI / 180));
    [this.x[at], this.y[at]] = project(lon + aside * SPREAD * wider, lat + down * SPREAD);
    if (row.to?.length) [this.toX[at], this.toY[at]] = project(row.to[0], row.to[1]);
    this.ids[at] = row.id;
    this.at.set(row.id, at);
    this.isTrip[at] = row.kind === "trip" ? 1 : 0;
    this.tone[at] = toneOf(row.state);
    this.risk[at] = atRisk(row, this.now) ? 1 : 0;
  }

  /** Whether it is at work or done: what `hide what is assigned` hides. @param {number} at */
  isAssigned(at) {
    return !TONES[this.tone[at]].waits;
  }

  /**
   * The nearest point to a pixel, no further than `reach` pixels; -1: none.
   * @param {import("./projection.js").View} view
   * @param {number} px
   * @param {number} py
   * @param {(at: number) => boolean} shows
   * @param {number} [reach]
   */
  hit(view, px, py, shows, reach = 10) {
    const [x, y] = view.toWorld(px, py);
    let best = (reach / view.scale) ** 2, found = -1;
    for (let at = 0; at < this.n; at++) {
      const away = (this.x[at] - x) ** 2 + (this.y[at] - y) ** 2;
      if (away <= best && shows(at)) {
        best = away;
        found = at;
      }
    }
    return found;
  }

  /**
   * The points in a box of pixels, whichever corners of it are given.
   * @param {import("./projection.js").View} view
   * @param {[number, number]} one
   * @param {[number, number]} other
   * @param {(at: number) => boolean} shows
   */
  within(view, one, other, shows) {
    const [ax, ay] = view.toWorld(Math.min(one[0], other[0]), Math.min(one[1], other[1]));
    const [bx, by] = view.toWorld(Math.max(one[0], other[0]), Math.max(one[1], other[1]));
    const found = [];
    for (let at = 0; at < this.n; at++) {
      if (this.x[at] >= ax && this.x[at] <= bx && this.y[at] >= ay && this.y[at] <= by && shows(at)) found.push(at);
    }
    return found;
  }
}
