/**
 * A map as a buffer of pixels: hexagons, then points as small stamps. No canvas path: 10,000 of those take a
 * twentieth of a second and more, 10,000 stamps a few milliseconds.
 * @module
 */

/** A colour as it stands in the buffer (RGBA, low byte first). @param {number} r @param {number} g @param {number} b @param {number} [a] */
export function rgba(r, g, b, a = 255) {
  return (a << 24 | b << 16 | g << 8 | r) >>> 0;
}

/** `#0072b2` as a number of the buffer. @param {string} hex */
export function colour(hex) {
  const value = parseInt(hex.trim().slice(1), 16);
  return rgba(value >> 16, value >> 8 & 255, value & 255);
}

/**
 * One colour over another, `alpha` of 255 of it; what lies below may be nothing.
 * @param {number} below
 * @param {number} over
 * @param {number} alpha
 */
export function blend(below, over, alpha) {
  const under = below >>> 24;
  if (under === 255) return mixed(below, over, alpha + (alpha >> 7));
  if (under === 0) return (over & 0xffffff | alpha << 24) >>> 0;
  const whole = alpha + under * (255 - alpha) / 255;
  return (mixed(below, over, Math.round(alpha / whole * 256)) & 0xffffff | whole << 24) >>> 0;
}

/** `share` of 256 of one colour, the rest of another; opaque. @param {number} below @param {number} over @param {number} share */
function mixed(below, over, share) {
  const rest = 256 - share;
  const sides = Math.imul(below & 0xff00ff, rest) + Math.imul(over & 0xff00ff, share) >>> 8 & 0xff00ff;
  const green = Math.imul(below & 0xff00, rest) + Math.imul(over & 0xff00, share) >>> 8 & 0xff00;
  return (sides | green | 0xff000000) >>> 0;
}

/** Pixels of one sign: where they lie from its middle, and how much of each its edge and its fill cover. */
export class Stamp {
  /**
   * @param {"circle" | "square"} shape
   * @param {"ring" | "target" | "full" | "cross"} fill
   * @param {number} radius pixels
   * @param {boolean} halo an edge around it: it is at risk
   */
  constructor(shape, fill, radius, halo = false) {
    /** @type {[number, number, number][]} */
    const edges = [];
    /** @type {[number, number, number][]} */
    const fills = [];
    /** @type {[number, number, number][]} */
    const halos = [];
    const reach = Math.ceil(radius + (halo ? 4 : 1.5));
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const [filled, edged, ringed] = cover(shape, fill, radius, x, y).map((each) => Math.round(each * 255));
        if (halo && ringed > 8) halos.push([x, y, ringed]);
        if (edged > 8 && filled < 255) edges.push([x, y, edged]);
        if (filled > 8) fills.push([x, y, filled]);
      }
    }
    this.reach = reach;
    this.edge = new Layer(edges);
    this.fill = new Layer(fills);
    this.halo = new Layer(halos);
  }
}

/** Pixels of one colour: those that it covers whole, and those that it covers in part. */
class Layer {
  /** @param {[number, number, number][]} covered x, y, of 255 */
  constructor(covered) {
    const all = covered.toSorted(([, , one], [, , other]) => other - one);
    this.x = Int16Array.from(all, ([x]) => x);
    this.y = Int16Array.from(all, ([, y]) => y);
    this.alpha = Uint8Array.from(all, ([, , alpha]) => alpha);
    this.whole = all.filter(([, , alpha]) => alpha === 255).length;
    this.width = 0;
    this.offsets = new Int32Array(all.length);
  }

  /** Where each pixel lies in a buffer of that width. @param {number} width */
  within(width) {
    if (this.width !== width) {
      this.width = width;
      this.offsets = Int32Array.from(this.x, (x, at) => this.y[at] * width + x);
    }
    return this.offsets;
  }
}

/**
 * How much of a pixel its fill, its edge and its halo cover, from 16 looks at it.
 * @param {string} shape
 * @param {string} fill
 * @param {number} radius
 * @param {number} x
 * @param {number} y
 */
function cover(shape, fill, radius, x, y) {
  let fills = 0, edges = 0, halos = 0;
  for (let look = 0; look < 16; look++) {
    const px = x + (look % 4 - 1.5) / 4, py = y + ((look >> 2) - 1.5) / 4;
    const away = shape === "circle" ? Math.hypot(px, py) : Math.max(Math.abs(px), Math.abs(py)) * 1.12;
    if (inside(fill, away, radius, px, py)) fills++;
    if (away <= radius + 1) edges++;
    if (away > radius + 1 && away <= radius + 3) halos++;
  }
  return [fills / 16, edges / 16, halos / 16];
}

/** @param {string} fill @param {number} away @param {number} radius @param {number} px @param {number} py */
function inside(fill, away, radius, px, py) {
  if (away > radius) return false;
  const thick = Math.max(1.4, radius * 0.38);
  if (fill === "full") return true;
  if (away > radius - thick) return true;
  if (fill === "target") return away < radius * 0.32;
  return fill === "cross" && Math.min(Math.abs(px - py), Math.abs(px + py)) < thick * 0.55;
}

/** A stamp in its colours, its layers laid over each other once: what is put ten thousand times a frame. */
export class Sprite {
  /**
   * @param {Stamp} stamp
   * @param {number} fill
   * @param {number} edge
   * @param {number} [halo]
   */
  constructor(stamp, fill, edge, halo = edge) {
    const size = 2 * stamp.reach + 1, raster = new Raster(size, size);
    raster.stamp(stamp, stamp.reach, stamp.reach, fill, edge, halo);
    /** @type {[number, number, number][]} */
    const covered = [];
    raster.pixels.forEach((ink, at) => {
      if (ink >>> 24) covered.push([at % size - stamp.reach, Math.floor(at / size) - stamp.reach, ink >>> 24]);
    });
    this.reach = stamp.reach;
    this.layer = new Layer(covered);
    const { x, y } = this.layer;
    this.inks = Uint32Array.from(x, (dx, at) => raster.pixels[(y[at] + stamp.reach) * size + dx + stamp.reach]);
  }
}

/** Pixels of a screen; `wide` in its own pixels, not in those of the page. */
export class Raster {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
  }

  /** @param {number} [ground] what lies below all; 0: nothing, it is seen through */
  clear(ground = 0) {
    this.pixels.fill(ground);
  }

  /**
   * @param {Stamp} stamp
   * @param {number} px
   * @param {number} py
   * @param {number} fill
   * @param {number} edge
   * @param {number} [halo]
   */
  stamp(stamp, px, py, fill, edge, halo = edge) {
    const { reach } = stamp, { width, height } = this, x = Math.round(px), y = Math.round(py);
    if (x >= reach && y >= reach && x < width - reach && y < height - reach) {
      this.lay(stamp.halo, y * width + x, halo);
      this.lay(stamp.edge, y * width + x, edge);
      this.lay(stamp.fill, y * width + x, fill);
    } else if (x >= -reach && y >= -reach && x < width + reach && y < height + reach) {
      this.layCut(stamp.halo, x, y, halo);
      this.layCut(stamp.edge, x, y, edge);
      this.layCut(stamp.fill, x, y, fill);
    }
  }

  /** Put a sprite. @param {Sprite} sprite @param {number} px @param {number} py */
  put(sprite, px, py) {
    const { reach, layer, inks } = sprite, { width, height, pixels } = this, x = Math.round(px), y = Math.round(py);
    if (x >= reach && y >= reach && x < width - reach && y < height - reach) {
      const offsets = layer.within(width), { whole, alpha } = layer, middle = y * width + x;
      for (let at = 0; at < whole; at++) pixels[middle + offsets[at]] = inks[at];
      for (let at = whole; at < offsets.length; at++) {
        const place = middle + offsets[at];
        pixels[place] = blend(pixels[place], inks[at], alpha[at]);
      }
    } else if (x >= -reach && y >= -reach && x < width + reach && y < height + reach) {
      for (let at = 0; at < layer.x.length; at++) {
        const sx = x + layer.x[at], sy = y + layer.y[at];
        if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
        pixels[sy * width + sx] = blend(pixels[sy * width + sx], inks[at], layer.alpha[at]);
      }
    }
  }

  /** All of it lies on the screen. @param {Layer} layer @param {number} middle @param {number} ink */
  lay(layer, middle, ink) {
    const { pixels } = this, offsets = layer.within(this.width), { alpha, whole } = layer;
    for (let at = 0; at < whole; at++) pixels[middle + offsets[at]] = ink;
    for (let at = whole; at < offsets.length; at++) {
      const place = middle + offsets[at];
      pixels[place] = blend(pixels[place], ink, alpha[at]);
    }
  }

  /** It goes over the screen's edge. @param {Layer} layer @param {number} x @param {number} y @param {number} ink */
  layCut(layer, x, y, ink) {
    const { width, height, pixels } = this;
    for (let at = 0; at < layer.x.length; at++) {
      const sx = x + layer.x[at], sy = y + layer.y[at];
      if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
      pixels[sy * width + sx] = blend(pixels[sy * width + sx], ink, layer.alpha[at]);
    }
  }

  /**
   * A hexagon with a corner up, `side` pixels long, in one colour (which may be seen through).
   * @param {number} cx
   * @param {number} cy
   * @param {number} side
   * @param {number} paint
   */
  hexagon(cx, cy, side, paint) {
    const half = side * Math.sqrt(3) / 2 - 0.5, { width, height, pixels } = this;
    const first = Math.max(0, Math.ceil(cy - side)), last = Math.min(height - 1, Math.floor(cy + side));
    for (let y = first; y <= last; y++) {
      const up = Math.abs(y - cy), reach = up <= side / 2 ? half : half * (1 - (up - side / 2) / (side / 2));
      const from = Math.max(0, Math.ceil(cx - reach)), to = Math.min(width - 1, Math.floor(cx + reach));
      if (from <= to) pixels.fill(paint, y * width + from, y * width + to + 1);
    }
  }
}
