// What the map computes: places, points, pixels. Run by `deno test` (tests/console/test_javascript.py).
import { metresPerPixel, project, unproject, View } from "../../dispatcher/console/assets/parts/map/projection.js";
import { Points, toneOf, TONES } from "../../dispatcher/console/assets/parts/map/points.js";
import { blend, colour, Raster, rgba, Stamp } from "../../dispatcher/console/assets/parts/map/raster.js";
import { cells, drawCells, drawPoints, Stamps, stepOf } from "../../dispatcher/console/assets/parts/map/draw.js";

/** @param {unknown} found @param {unknown} wanted @param {string} [says] */
function equal(found, wanted, says = "") {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${says} found ${one}, wanted ${other}`);
}

/** @param {number} found @param {number} wanted @param {number} by */
function near(found, wanted, by) {
  if (!(Math.abs(found - wanted) <= by)) throw new Error(`found ${found}, wanted ${wanted} within ${by}`);
}

const all = () => true;
const SEOUL = [126.98, 37.55];
const PAINTS = {
  tones: TONES.map((_, at) => rgba(10 * at + 1, 0, 0)),
  edge: rgba(0, 0, 255),
  mark: rgba(0, 255, 0),
  cover: /** @type {[number, number, number]} */ ([1, 2, 3]),
};

/** @param {string} id @param {any} [more] @returns {any} */
function ride(id, more = {}) {
  return { id, kind: "trip", state: "received", from: SEOUL, to: [127.1, 37.5], risk: "", due: 0, ...more };
}

Deno.test("a place comes back from the map, at the edges of the world too", () => {
  for (const [lon, lat] of [[126.98, 37.55], [-179.99, -84], [0, 0], [180, 85]]) {
    const [back, up] = unproject(...project(lon, lat));
    near(back, lon, 1e-9);
    near(up, lat, 1e-9);
  }
  near(project(0, 90)[1], 0, 1e-3);
  near(metresPerPixel(0, 40_075_017), 1, 1e-9);
});

Deno.test("what is under the pointer stays there when the map is zoomed", () => {
  const view = new View(800, 600);
  view.fit([project(126.8, 37.4), project(127.2, 37.7)]);
  const before = view.toWorld(123, 456);
  view.zoom(2.5, 123, 456);
  const after = view.toWorld(123, 456);
  near(after[0], before[0], 1e-9);
  near(after[1], before[1], 1e-9);
});

Deno.test("a map that fits shows every place, and one place is no reason to go too near", () => {
  const view = new View(800, 600), places = [project(126.8, 37.4), project(127.2, 37.7)];
  view.fit(places);
  for (const [x, y] of places.map((each) => view.toScreen(...each))) {
    if (x < 0 || y < 0 || x > 800 || y > 600) throw new Error(`${x}, ${y} is not on the screen`);
  }
  view.fit([project(126.8, 37.4)]);
  if (!(view.scale <= 2 ** 20)) throw new Error(`too near: ${view.scale}`);
  const { scale } = view;
  view.fit([]);
  equal(view.scale, scale);
});

Deno.test("bounds never leave the world", () => {
  const view = new View(4000, 4000);
  const { west, south, east, north } = view.bounds();
  near(west, -180, 1e-6);
  near(east, 180, 1e-6);
  if (south < -90 || north > 90) throw new Error(`${south} ${north}`);
});

Deno.test("requests of one square are told apart, stay in it, and stay where they are", () => {
  const rows = Array.from({ length: 500 }, (_, at) => ride(`r${at}`));
  const points = new Points(rows), again = new Points(rows.slice(100));
  equal(new Set(Array.from(points.x, (x, at) => `${x} ${points.y[at]}`)).size, 500);
  equal(points.x[100], again.x[0]);
  for (let at = 0; at < points.n; at++) {
    const [lon, lat] = unproject(points.x[at], points.y[at]);
    near(lat, SEOUL[1], 0.009);
    near(lon, SEOUL[0], 0.009 / Math.cos(SEOUL[1] * Math.PI / 180));
  }
});

Deno.test("a request without a place is left out, an unknown state is one that waits", () => {
  const points = new Points([
    ride("a", { from: [] }),
    ride("b", { state: "later_version" }),
    ride("c", { state: "accepted" }),
  ]);
  equal(points.ids, ["b", "c"]);
  equal([points.isAssigned(0), points.isAssigned(1)], [false, true]);
  equal(TONES[toneOf("no_show")].tone, "ended");
});

Deno.test("the nearest request is hit, one that is hidden is not", () => {
  const points = new Points([ride("a"), ride("b")]), view = new View(800, 600);
  view.fit([[points.x[0], points.y[0]], [points.x[1], points.y[1]]]);
  const [px, py] = view.toScreen(points.x[0], points.y[0]);
  equal(points.hit(view, px + 3, py, all), 0);
  equal(points.hit(view, px + 3, py, (at) => at !== 0), -1);
  equal(points.hit(view, px + 30, py + 30, all), -1);
});

Deno.test("a rubber band takes what lies in it, drawn from any corner", () => {
  const points = new Points([ride("a"), ride("b", { from: [129, 35] })]), view = new View(800, 600);
  view.fit([[points.x[0], points.y[0]], [points.x[1], points.y[1]]]);
  const [px, py] = view.toScreen(points.x[0], points.y[0]);
  for (const [one, other] of [[[px - 5, py - 5], [px + 5, py + 5]], [[px + 5, py - 5], [px - 5, py + 5]]]) {
    equal(points.within(view, /** @type {any} */ (one), /** @type {any} */ (other), all), [0]);
  }
  equal(points.within(view, [0, 0], [800, 600], all).length, 2);
});

Deno.test("colours are as CSS has them, and one over another is their mean", () => {
  equal(colour("#0072b2"), rgba(0, 0x72, 0xb2));
  equal(blend(rgba(0, 0, 0), rgba(200, 100, 50), 255), rgba(200, 100, 50));
  near(blend(rgba(0, 0, 0), rgba(200, 100, 50), 128) & 255, 100, 1);
  equal(blend(0, rgba(9, 9, 9), 0) >>> 24, 0);
  near(blend(rgba(100, 100, 100, 128), rgba(200, 200, 200), 128) >>> 24, 192, 1);
});

Deno.test("a sign is drawn whole, cut at the edge, and not at all beyond it", () => {
  const stamp = new Stamp("circle", "full", 5), raster = new Raster(40, 40);
  raster.stamp(stamp, 20, 20, rgba(255, 0, 0), rgba(0, 0, 0));
  equal(raster.pixels[20 * 40 + 20], rgba(255, 0, 0));
  raster.clear();
  for (const [x, y] of [[0, 0], [39, 39], [-3, 20]]) raster.stamp(stamp, x, y, rgba(255, 0, 0), rgba(0, 0, 0));
  if (!raster.pixels.some((each) => each)) throw new Error("nothing was drawn at the edge");
  raster.clear();
  raster.stamp(stamp, -500, 20, rgba(255, 0, 0), rgba(0, 0, 0));
  equal(raster.pixels.some((each) => each), false);
});

Deno.test("kinds differ by shape, states by fill: without any colour they are told apart", () => {
  const looks = new Set();
  for (const shape of /** @type {const} */ (["circle", "square"])) {
    for (const fill of /** @type {const} */ (["ring", "target", "full", "cross"])) {
      for (const halo of [false, true]) {
        const raster = new Raster(30, 30);
        raster.stamp(new Stamp(shape, fill, 5, halo), 15, 15, rgba(9, 9, 9), rgba(200, 200, 200));
        looks.add(raster.pixels.join());
      }
    }
  }
  equal(looks.size, 16);
});

Deno.test("a hexagon fills its area, and its neighbours leave no gap between rows", () => {
  const raster = new Raster(200, 200), side = 60;
  raster.hexagon(100, 100, side, 1);
  near(raster.pixels.reduce((sum, each) => sum + each, 0), 1.5 * Math.sqrt(3) * side * side, 200);
});

Deno.test("a frame has what waits above what is done, and hides what is hidden", () => {
  const rows = [ride("done", { state: "completed" }), ride("waits")];
  const points = new Points(rows), view = new View(100, 100), raster = new Raster(100, 100), stamps = new Stamps(5);
  points.x.fill(points.x[0]);
  points.y.fill(points.y[0]);
  view.moveTo(points.x[0], points.y[0]);
  equal(drawPoints(raster, view, points, stamps, PAINTS, all), 2);
  const drawn = new Set(raster.pixels);
  if (!drawn.has(PAINTS.tones[0])) throw new Error("what waits is covered");
  raster.clear();
  equal(drawPoints(raster, view, points, stamps, PAINTS, (at) => at === 0), 1);
});

Deno.test("what is at risk has a halo of its own colour", () => {
  const points = new Points([ride("a", { risk: "overdue" })]), view = new View(60, 60), raster = new Raster(60, 60);
  view.moveTo(points.x[0], points.y[0]);
  drawPoints(raster, view, points, new Stamps(5), PAINTS, all);
  if (![...raster.pixels].includes(PAINTS.mark)) throw new Error("no halo");
});

Deno.test("coverage grows in steps and is drawn only where it is seen", () => {
  equal([0, 1, 2, 4, 999].map(stepOf), [0, 1, 2, 3, 6]);
  const of = cells({ side: 1 / 4096, vendors: 2, lon: [126.98, -70], lat: [37.55, -30], reached_by: [2, 1] });
  const view = new View(100, 100), raster = new Raster(100, 100);
  view.scale = 2 ** 18;
  view.moveTo(...project(126.98, 37.55));
  drawCells(raster, view, of, PAINTS);
  equal(new Set(raster.pixels).size, 2);
  view.moveTo(...project(0, 0));
  raster.clear();
  drawCells(raster, view, of, PAINTS);
  equal(raster.pixels.some((each) => each), false);
});
