/**
 * What the signs of the map mean.
 * @module
 */

import { h } from "../../core/dom.js";
import { TONES } from "./points.js";
import { colour } from "./raster.js";
import { Raster, Stamp } from "./raster.js";
import { mapPaints, token } from "./paints.js";
import { STEPS } from "./draw.js";

const SIZE = 18;

/**
 * @param {number} ink
 * @param {Stamp} stamp
 * @param {number} edge
 * @param {number} [halo]
 */
function sign(ink, stamp, edge, halo = edge) {
  const made = h("canvas", { width: SIZE, height: SIZE, "aria-hidden": "true" }), raster = new Raster(SIZE, SIZE);
  raster.stamp(stamp, SIZE / 2, SIZE / 2, ink, edge, halo);
  made.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(raster.pixels.buffer), SIZE, SIZE), 0, 0);
  return made;
}

/** Signs with their words; made anew when the theme changes. @param {boolean} coverage */
export function legend(coverage) {
  const paints = mapPaints(), text = colour(token("--soft"));
  const states = TONES.map(({ says, fill }, at) =>
    h("span", {}, sign(paints.tones[at], new Stamp("circle", fill, 4.5), paints.edge), says)
  );
  return h(
    "div",
    { class: "legend", "aria-label": "What the signs mean", role: "group" },
    h("span", {}, sign(text, new Stamp("circle", "full", 4.5), paints.edge), "Ride"),
    h("span", {}, sign(text, new Stamp("square", "full", 4.5), paints.edge), "Equipment"),
    h("span", {}, sign(text, new Stamp("circle", "full", 4.5, true), paints.edge, paints.mark), "At risk"),
    states,
    coverage &&
      h("span", {}, `Cells: fuller from ${STEPS.join(", ")} vendors on. Places are squares of about 2 km, not doors.`),
    !coverage && h("span", {}, "Places are squares of about 2 km, not doors."),
  );
}
