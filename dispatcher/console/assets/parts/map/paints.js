/**
 * Colours of the style sheet as numbers for a buffer of pixels; they change with the theme.
 * @module
 */

import { blend, colour, rgba } from "./raster.js";
import { TONES } from "./points.js";

/** @param {string} name a custom property that is `#rrggbb` */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#000000";
}

/** What the map is painted with now. */
export function mapPaints() {
  const cover = colour(token("--map-cover"));
  return {
    tones: TONES.map(({ paint }) => colour(token(paint))),
    edge: colour(token("--map-edge")),
    mark: colour(token("--map-mark")),
    ground: colour(token("--map-ground")),
    cover: /** @type {[number, number, number]} */ ([cover & 255, cover >> 8 & 255, cover >> 16 & 255]),
  };
}

/** What a Gantt is painted with now: from free to full in so many steps. @param {number} [steps] */
export function ganttPaints(steps = 9) {
  const free = colour(token("--gantt-free")), full = colour(token("--gantt-full"));
  return {
    none: colour(token("--gantt-none")),
    steps: Array.from({ length: steps }, (_, at) => blend(free, full, Math.round(at / (steps - 1) * 255))),
    over: colour(token("--gantt-over")),
    paused: rgba(0, 0, 0, 0),
  };
}

/**
 * Hear when the theme changes, until the signal.
 * @param {() => void} act
 * @param {AbortSignal} signal
 */
export function onTheme(act, signal) {
  const watcher = new MutationObserver(act);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  signal.addEventListener("abort", () => watcher.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act, { signal });
}
