/**
 * The map: a canvas that is painted pixel by pixel, with hands. What stands on it is in the table beside it.
 * @module
 */

import { framed, h } from "../../core/dom.js";
import { cells, drawCells, drawPoints, Stamps } from "./draw.js";
import { hands } from "./hands.js";
import { mapPaints, onTheme } from "./paints.js";
import { Points } from "./points.js";
import { metresPerPixel, project, unproject, View } from "./projection.js";
import { Raster } from "./raster.js";
import { middle, rings } from "./shapes.js";
import { Tiles } from "./tiles.js";
import { drawOver } from "./over.js";

/** @typedef {{ kind: "circle", centre: [number, number], radius_m: number } | { kind: "polygon", ring: [number, number][], holes?: [number, number][][] }} Area */
/** @typedef {(at: number) => boolean} Shows */

const RADIUS = 4.5, SHARPEST = 2;

export class MapCanvas {
  /**
   * @param {{ signal: AbortSignal, tiles: { url: string, credit: string } | null, tip: (id: string) => any, picked: (ids: string[], more: boolean) => void, moved: () => void }} of
   */
  constructor(of) {
    this.of = of;
    this.canvas = h("canvas", { role: "img", "aria-label": "Map" });
    this.scaleBar = h("span", { class: "scale" });
    this.tip = h("div", { class: "tip", hidden: true });
    this.tiles = of.tiles ? new Tiles(of.tiles) : null;
    this.node = h(
      "div",
      {
        class: "canvas",
        tabindex: "0",
        role: "group",
        "aria-label":
          "Map. Arrows move it, plus and minus zoom, 0 shows all, a picks what is in view; the table beside it has the same.",
      },
      this.tiles?.node,
      this.canvas,
      this.tools(),
      h("div", { class: "foot" }, this.scaleBar, this.tiles?.credit),
      this.tip,
    );
    this.view = new View(1, 1);
    this.raster = new Raster(1, 1);
    this.points = new Points([]);
    this.seen = new Uint8Array(0);
    /** @type {Shows} */
    this.shows = () => true;
    /** @type {ReturnType<typeof cells> | null} */
    this.cover = null;
    /** @type {Area[]} */
    this.areas = [];
    /** @type {Set<string>} */
    this.picked = new Set();
    this.pointed = -1;
    /** Where to look when nothing is shown. @type {[number, number][]} */
    this.others = [];
    this.bands = false;
    this.fitted = false;
    /** @type {{ one: [number, number], other: [number, number] } | null} */
    this.band = null;
    this.sharp = 1;
    this.stamps = new Stamps(RADIUS);
    this.paints = mapPaints();
    this.draw = framed(() => this.paint());
    this.listen();
  }

  tools() {
    const tool = (/** @type {string} */ says, /** @type {string} */ label, /** @type {() => void} */ act) =>
      h("button", { type: "button", "aria-label": label, title: label, onclick: act }, says);
    this.bandTool = tool("Pick area", "Pick by drawing a box (or hold Shift)", () => this.setBands(!this.bands));
    this.bandTool.setAttribute("aria-pressed", "false");
    return h(
      "div",
      { class: "tools" },
      tool("+", "Zoom in", () => this.zoom(1.5)),
      tool("−", "Zoom out", () => this.zoom(1 / 1.5)),
      tool("All", "Show all", () => this.fit()),
      this.bandTool,
    );
  }

  listen() {
    const { signal } = this.of;
    hands(
      this.node,
      {
        pan: (dx, dy) => this.pan(dx, dy),
        zoom: (factor, at) => this.zoom(factor, at),
        fit: () => this.fit(),
        point: (at) => this.point(at),
        pick: (at, more) => this.pickAt(at, more),
        band: (one, other, done, more) => this.drawBand(one, other, done, more),
        all: () => this.of.picked(this.inView().map((at) => this.points.ids[at]), false),
        none: () => this.of.picked([], false),
      },
      () => this.bands,
      signal,
    );
    const watcher = new ResizeObserver(() => this.resize());
    watcher.observe(this.node);
    signal.addEventListener("abort", () => watcher.disconnect());
    onTheme(() => this.repaint(), signal);
  }

  repaint() {
    this.paints = mapPaints();
    this.draw();
  }

  resize() {
    const { clientWidth, clientHeight } = this.node;
    if (!clientWidth || !clientHeight) return;
    const sharp = Math.min(SHARPEST, devicePixelRatio || 1);
    const width = Math.round(clientWidth * sharp), height = Math.round(clientHeight * sharp);
    if (width === this.raster.width && height === this.raster.height) return;
    this.view.scale *= sharp / this.sharp;
    if (sharp !== this.sharp) this.stamps = new Stamps(RADIUS * sharp);
    this.sharp = sharp;
    this.canvas.width = this.view.width = width;
    this.canvas.height = this.view.height = height;
    this.raster = new Raster(width, height);
    this.image = new ImageData(new Uint8ClampedArray(this.raster.pixels.buffer), width, height);
    if (!this.fitted) this.fit();
    this.draw();
  }

  /**
   * @param {Iterable<import("./points.js").Shown>} rows what is wanted
   * @param {number} now ms
   */
  show(rows, now) {
    this.points = new Points(rows, now);
    const seen = this.seen = new Uint8Array(this.points.n).fill(1);
    this.shows = (at) => seen[at] === 1;
    this.pointed = -1;
    this.tip.hidden = true;
    if (!this.fitted) this.fit();
    this.draw();
  }

  /**
   * One request is another now, or not wanted any more. One that is new comes with the next `show`.
   * @param {string} id
   * @param {import("./points.js").Shown | null} row
   */
  touch(id, row) {
    const at = this.points.at.get(id);
    if (at === undefined) return;
    this.seen[at] = row?.from?.length ? 1 : 0;
    if (row?.from?.length) this.points.put(at, row);
    this.draw();
  }

  /** @param {import("./draw.js").Coverage | null} coverage */
  showCoverage(coverage) {
    this.cover = coverage && cells(coverage);
    this.draw();
  }

  /** @param {Area[]} areas */
  showAreas(areas) {
    this.areas = areas;
    if (areas.length) this.fit();
    this.draw();
  }

  /** @param {Set<string>} ids */
  showPicked(ids) {
    this.picked = ids;
    this.draw();
  }

  /** @param {string} says */
  describe(says) {
    this.canvas.setAttribute("aria-label", says);
  }

  /** Show all that is wanted; where that is nothing, all that there is. */
  fit() {
    const { points } = this;
    if (this.raster.width < 2) return;
    const corners = this.areas.flatMap((area) => rings(area).flat()).map(([lon, lat]) => project(lon, lat));
    const places = [
      ...middle(points).map((at) => /** @type {[number, number]} */ ([points.x[at], points.y[at]])),
      ...corners,
    ];
    const shown = places.length ? places : this.others;
    if (!shown.length) return;
    this.fitted = true;
    this.view.fit(shown);
    this.moved();
  }

  /** @param {number} dx @param {number} dy page pixels */
  pan(dx, dy) {
    this.view.pan(dx * this.sharp, dy * this.sharp);
    this.moved();
  }

  /** @param {number} factor @param {[number, number]} [at] */
  zoom(factor, at) {
    if (at) this.view.zoom(factor, at[0] * this.sharp, at[1] * this.sharp);
    else this.view.zoom(factor);
    this.moved();
  }

  /** Bring a request to the middle. @param {string} id */
  centre(id) {
    const at = this.points.at.get(id);
    if (at === undefined) return;
    this.view.moveTo(this.points.x[at], this.points.y[at]);
    this.moved();
  }

  moved() {
    this.tip.hidden = true;
    this.of.moved();
    this.draw();
  }

  inView() {
    return this.points.within(this.view, [0, 0], [this.view.width, this.view.height], this.shows);
  }

  /** @param {[number, number]} at */
  hit(at) {
    const { sharp } = this;
    return this.points.hit(this.view, at[0] * sharp, at[1] * sharp, this.shows, 9 * sharp);
  }

  /** @param {[number, number] | null} at */
  point(at) {
    const pointed = at ? this.hit(at) : -1;
    this.tip.hidden = pointed < 0;
    if (at && pointed >= 0) {
      this.tip.style.left = `${Math.min(at[0] + 12, this.node.clientWidth - 200)}px`;
      this.tip.style.top = `${Math.min(at[1] + 12, this.node.clientHeight - 60)}px`;
      if (pointed !== this.pointed) this.tip.replaceChildren(...this.of.tip(this.points.ids[pointed]));
    }
    if (pointed !== this.pointed) {
      this.pointed = pointed;
      this.draw();
    }
  }

  /** @param {[number, number]} at @param {boolean} more */
  pickAt(at, more) {
    const hit = this.hit(at);
    this.of.picked(hit < 0 ? [] : [this.points.ids[hit]], more);
  }

  /** @param {boolean} on */
  setBands(on) {
    this.bands = on;
    this.bandTool?.setAttribute("aria-pressed", String(on));
    this.node.classList.toggle("picks", on);
  }

  /** @param {[number, number]} one @param {[number, number]} other @param {boolean} done @param {boolean} more */
  drawBand(one, other, done, more) {
    const { sharp } = this,
      scaled = (/** @type {[number, number]} */ at) => /** @type {[number, number]} */ ([at[0] * sharp, at[1] * sharp]);
    this.band = done ? null : { one: scaled(one), other: scaled(other) };
    if (done) {
      const found = this.points.within(this.view, scaled(one), scaled(other), this.shows);
      this.of.picked(found.map((at) => this.points.ids[at]), more);
    }
    this.draw();
  }

  paint() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.image) return;
    const { raster, view, points } = this;
    raster.clear(this.tiles ? 0 : this.paints.ground);
    if (this.cover) drawCells(raster, view, this.cover, this.paints);
    const picked = new Set([...this.picked].map((id) => points.at.get(id)).filter((at) => at !== undefined));
    if (this.pointed >= 0) picked.add(this.pointed);
    drawPoints(raster, view, points, this.stamps, this.paints, this.shows, picked);
    context.putImageData(this.image, 0, 0);
    drawOver(this, context, picked);
    this.tiles?.draw(view, this.sharp);
    this.drawScale();
  }

  drawScale() {
    const [, lat] = unproject(this.view.x, this.view.y);
    const metres = metresPerPixel(lat, this.view.scale / this.sharp), most = metres * 120;
    const power = 10 ** Math.floor(Math.log10(most)), round = [5, 2, 1].find((each) => each * power <= most) || 1;
    const length = round * power;
    this.scaleBar.style.width = `${length / metres}px`;
    this.scaleBar.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  }
}
