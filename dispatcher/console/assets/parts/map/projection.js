/**
 * Web Mercator, and the part of it that a screen shows. The world is 1 wide; a place is [x, y], y going down.
 * @module
 */

const EDGE = 85.05;
export const LEAST = 256, MOST = 2 ** 25; // pixels that the world is wide
const NEAR = 2 ** 20; // as near as `fit` goes: a screen of some 30 km

/**
 * @param {number} lon degrees
 * @param {number} lat degrees
 * @returns {[number, number]}
 */
export function project(lon, lat) {
  const kept = Math.max(-EDGE, Math.min(EDGE, lat)) * Math.PI / 180;
  return [lon / 360 + 0.5, 0.5 - Math.asinh(Math.tan(kept)) / (2 * Math.PI)];
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]} [lon, lat]
 */
export function unproject(x, y) {
  return [(x - 0.5) * 360, Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI];
}

/** Metres that a pixel stands for. @param {number} lat @param {number} scale */
export function metresPerPixel(lat, scale) {
  return 40_075_017 * Math.cos(lat * Math.PI / 180) / scale;
}

/** What a screen of so many pixels shows: its centre, and how many pixels the world is wide. */
export class View {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.x = 0.5;
    this.y = 0.5;
    this.scale = LEAST;
  }

  /** Pixels of a place. @param {number} x @param {number} y @returns {[number, number]} */
  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /** The place under a pixel. @param {number} px @param {number} py @returns {[number, number]} */
  toWorld(px, py) {
    return [(px - this.width / 2) / this.scale + this.x, (py - this.height / 2) / this.scale + this.y];
  }

  /** Move what is shown by so many pixels. @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.moveTo(this.x - dx / this.scale, this.y - dy / this.scale);
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.x = x - Math.floor(x);
    this.y = Math.max(0, Math.min(1, y));
  }

  /**
   * Nearer by a factor, with what is under the pixel staying there.
   * @param {number} factor
   * @param {number} [px]
   * @param {number} [py]
   */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [x, y] = this.toWorld(px, py);
    this.scale = Math.max(LEAST, Math.min(MOST, this.scale * factor));
    this.moveTo(x - (px - this.width / 2) / this.scale, y - (py - this.height / 2) / this.scale);
  }

  /**
   * Show all of these places, with a margin; nothing changes where there are none.
   * @param {Iterable<[number, number]>} places
   */
  fit(places) {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of places) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    if (left > right) return;
    const room = Math.min(this.width / (right - left || 1e-9), this.height / (bottom - top || 1e-9));
    this.scale = Math.max(LEAST, Math.min(NEAR, room * 0.88));
    this.moveTo((left + right) / 2, (top + bottom) / 2);
  }

  /** West, south, east, north in degrees; nothing beyond the world. */
  bounds() {
    const [left, top] = this.toWorld(0, 0), [right, bottom] = this.toWorld(this.width, this.height);
    const [west, north] = unproject(Math.max(0, left), Math.max(0, top));
    const [east, south] = unproject(Math.min(1, right), Math.min(1, bottom));
    return { west, south, east, north };
  }
}
