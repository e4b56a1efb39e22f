/**
 * A group of requests: a level of service in a square of some 8 km, as the service names it: `wheelchair@-73.98214,40.752`.
 * @module
 */

import { words } from "./state.js";

const ROW = 0.072, POLAR = 89; // degrees of latitude: four of the board's squares; `domain/coarse_position.py`

/** @typedef {import("../core/store.js").Row} Row */

/** In words. @param {string} group */
export function groupSays(group) {
  const { level, lon, lat } = partsOf(group);
  return `${words(level)} around ${lat.toFixed(3)}, ${lon.toFixed(3)}`;
}

/**
 * Whether a row of the board is of it: a group goes by the board's squares.
 * @param {Row} row
 * @param {string} group
 */
export function isOf(row, group) {
  const { level, lon, lat } = partsOf(group), own = row.kind === "equipment" ? "equipment" : row.class;
  if (own !== level || row.from.length !== 2) return false;
  const width = ROW / Math.cos(Math.min(Math.abs(lat), POLAR) * Math.PI / 180);
  /** @param {number} of @param {number} size */
  const cell = (of, size) => Math.floor(of / size);
  return cell(row.from[1], ROW) === cell(lat, ROW) && cell(row.from[0], width) === cell(lon, width);
}

/** @param {string} group */
function partsOf(group) {
  const [level, place = ""] = group.split("@"), [lon, lat] = place.split(",").map(Number);
  return { level, lon: lon || 0, lat: lat || 0 };
}
