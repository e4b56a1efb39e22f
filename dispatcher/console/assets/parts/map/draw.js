/**
 * One frame of the map into a raster: coverage, then requests, those that are pointed at last.
 * @module
 */

import { project } from "./projection.js";
import { rgba, Sprite, Stamp } from "./raster.js";
import { TONES } from "./points.js";

/** @typedef {{ side: number, vendors: number, lon: number[], lat: number[], reached_by: number[] }} Coverage */
/** @typedef {{ tones: number[], edge: number, mark: number, cover: [number, number, number] }} Paints */

/** Stamps by shape, fill and whether it is at risk; made once for a size. */
export class Stamps {
  /** @param {number} radius pixels of the raster */
  constructor(radius) {
    this.radius = radius;
    /** @type {Stamp[]} by tone, then trip or equipment, then at risk */
    this.all = TONES.flatMap(({ fill }) =>
      /** @type {const} */ (["square", "circle"]).flatMap((shape) =>
        [false, true].map((halo) => new Stamp(shape, fill, radius, halo))
      )
    );
    /** @type {Paints | null} */
    this.paints = null;
    /** @type {Sprite[]} */
    this.sprites = [];
    this.picked = /** @type {const} */ (["square", "circle"]).map((shape) =>
      new Stamp(shape, "full", radius * 1.7, true)
    );
  }

  /** All of them in these colours, made once for each. @param {Paints} paints */
  in(paints) {
    if (this.paints !== paints) {
      this.paints = paints;
      this.sprites = this.all.map((stamp, at) => new Sprite(stamp, paints.tones[at >> 2], paints.edge, paints.mark));
    }
    return this.sprites;
  }
}

/**
 * Cells in a few steps of one colour: the more vendors reach it, the fuller. Projected once.
 * @param {Coverage} coverage
 */
export function cells(coverage) {
  const n = coverage.lon.length, xs = new Float64Array(n), ys = new Float64Array(n);
  coverage.lon.forEach((lon, at) => [xs[at], ys[at]] = project(lon, coverage.lat[at]));
  return { side: coverage.side, xs, ys, step: Uint8Array.from(coverage.reached_by, stepOf) };
}

export const STEPS = [1, 2, 3, 5, 10, 20]; // vendors from which on the next step counts

/** @param {number} vendors */
export function stepOf(vendors) {
  return STEPS.filter((each) => vendors >= each).length;
}

/**
 * @param {import("./raster.js").Raster} raster
 * @param {import("./projection.js").View} view in pixels of the raster
 * @param {ReturnType<typeof cells>} of
 * @param {Paints} paints
 */
export function drawCells(raster, view, of, paints) {
  const side = of.side * view.scale;
  if (side < 1) return;
  const [r, g, b] = paints.cover;
  const inks = [0, ...STEPS].map((_, step) => rgba(r, g, b, step ? 18 + step * 18 : 0));
  for (let at = 0; at < of.xs.length; at++) {
    const [px, py] = view.toScreen(of.xs[at], of.ys[at]);
    if (px < -side || py < -side || px > raster.width + side || py > raster.height + side) continue;
    raster.hexagon(px, py, side, inks[of.step[at]]);
  }
}

/**
 * Points in the order of their urgency: what is done lies below what waits.
 * @param {import("./raster.js").Raster} raster
 * @param {import("./projection.js").View} view
 * @param {import("./points.js").Points} points
 * @param {Stamps} stamps
 * @param {Paints} paints
 * @param {(at: number) => boolean} shows
 * @param {Set<number>} [picked]
 */
export function drawPoints(raster, view, points, stamps, paints, shows, picked = new Set()) {
  const { x, y, tone, isTrip, risk, n } = points;
  const { scale } = view, left = view.x * scale - view.width / 2, top = view.y * scale - view.height / 2;
  const sprites = stamps.in(paints);
  let drawn = 0;
  for (let rank = 0; rank < 3; rank++) {
    for (let at = 0; at < n; at++) {
      if (rankOf(tone[at], risk[at]) !== rank || !shows(at)) continue;
      const px = x[at] * scale - left, py = y[at] * scale - top;
      if (px < -9 || py < -9 || px > raster.width + 9 || py > raster.height + 9) continue;
      raster.put(sprites[tone[at] * 4 + isTrip[at] * 2 + risk[at]], px, py);
      drawn++;
    }
  }
  for (const at of picked) {
    if (!shows(at)) continue;
    const [px, py] = view.toScreen(x[at], y[at]);
    raster.stamp(stamps.picked[isTrip[at]], px, py, paints.tones[tone[at]], paints.edge, paints.mark);
  }
  return drawn;
}

const LOW = TONES.map(({ tone }) => tone === "done" || tone === "ended");

/** What is done lies lowest, what is at risk highest. @param {number} tone @param {number} risk */
function rankOf(tone, risk) {
  return risk ? 2 : LOW[tone] ? 0 : 1;
}
