/**
 * A raster map below, where a setting names who gives one: `https://…/{z}/{x}/{y}.png`. Off unless it is set.
 * @module
 */

import { h } from "../../core/dom.js";

const SIZE = 256, DEEPEST = 19;

export class Tiles {
  /** @param {{ url: string, credit: string }} of */
  constructor(of) {
    this.url = of.url;
    this.node = h("div", { class: "tiles", "aria-hidden": "true" });
    this.credit = of.credit ? h("span", { class: "scale" }, of.credit) : null;
    /** @type {Map<string, HTMLImageElement>} */
    this.drawn = new Map();
  }

  /**
   * @param {import("./projection.js").View} view in canvas pixels
   * @param {number} sharp canvas pixels in one of the page
   */
  draw(view, sharp) {
    const scale = view.scale / sharp, z = Math.max(0, Math.min(DEEPEST, Math.round(Math.log2(scale / SIZE))));
    const many = 2 ** z, size = scale / many, width = view.width / sharp, height = view.height / sharp;
    const left = view.x * scale - width / 2, top = view.y * scale - height / 2;
    const wanted = new Map();
    for (let x = Math.floor(left / size); x * size < left + width; x++) {
      for (let y = Math.max(0, Math.floor(top / size)); y < many && y * size < top + height; y++) {
        wanted.set(`${z}/${x}/${y}`, [x, y]);
      }
    }
    for (const [name, image] of this.drawn) {
      if (!wanted.has(name)) {
        image.remove();
        this.drawn.delete(name);
      }
    }
    for (const [name, [x, y]] of wanted) {
      const image = this.drawn.get(name) || this.make(name, z, (x % many + many) % many, y);
      image.style.transform = `translate(${x * size - left}px, ${y * size - top}px) scale(${size / SIZE})`;
    }
  }

  /** @param {string} name @param {number} z @param {number} x @param {number} y */
  make(name, z, x, y) {
    const src = this.url.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
    const image = h("img", { alt: "", src, referrerPolicy: "no-referrer" });
    image.style.transformOrigin = "0 0";
    this.node.append(image);
    this.drawn.set(name, image);
    return image;
  }
}

/** @param {import("../../core/app.js").Context} context */
export function tilesOf(context) {
  const { map_tiles: url, map_credit: credit } = context.session;
  return url ? { url, credit: credit || "" } : null;
}
