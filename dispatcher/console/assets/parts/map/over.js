/**
 * What is drawn above the pixels of the map: areas, the ways of what is picked, the band.
 * @module
 */

import { token } from "./paints.js";
import { project } from "./projection.js";
import { rings } from "./shapes.js";

/** @typedef {import("./map.js").MapCanvas} MapCanvas */
/** @typedef {import("./map.js").Area} Area */

/** Lines above the pixels: areas, the way of what is picked, the band. @param {MapCanvas} map @param {CanvasRenderingContext2D} context @param {Set<number>} picked */
export function drawOver(map, context, picked) {
  context.lineWidth = 2 * map.sharp;
  context.strokeStyle = token("--map-mark");
  for (const area of map.areas) outline(map, context, area);
  if (picked.size <= 200) { for (const at of picked) way(map, context, at); }
  if (map.band) {
    const { one: [ax, ay], other: [bx, by] } = map.band;
    context.setLineDash([6 * map.sharp, 4 * map.sharp]);
    context.strokeRect(ax, ay, bx - ax, by - ay);
    context.setLineDash([]);
  }
}

/** @param {MapCanvas} map @param {CanvasRenderingContext2D} context @param {number} at */
function way(map, context, at) {
  const { points, view, sharp } = map;
  if (Number.isNaN(points.toX[at]) || !map.shows(at)) return;
  const [px, py] = view.toScreen(points.x[at], points.y[at]);
  const [tx, ty] = view.toScreen(points.toX[at], points.toY[at]);
  context.beginPath();
  context.moveTo(px, py);
  context.lineTo(tx, ty);
  context.moveTo(tx + 7 * sharp, ty);
  context.arc(tx, ty, 7 * sharp, 0, 2 * Math.PI);
  context.stroke();
}

/** @param {MapCanvas} map @param {CanvasRenderingContext2D} context @param {Area} area */
function outline(map, context, area) {
  context.beginPath();
  for (const ring of rings(area)) {
    ring.forEach(([lon, lat], nth) => {
      const [px, py] = map.view.toScreen(...project(lon, lat));
      if (nth) context.lineTo(px, py);
      else context.moveTo(px, py);
    });
    context.closePath();
  }
  context.stroke();
}
