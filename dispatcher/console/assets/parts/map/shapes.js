/**
 * What a map fits on its screen, and the outlines of vendors' areas.
 * @module
 */

/** @typedef {import("./map.js").Area} Area */
/** @typedef {import("./points.js").Points} Points */

/** The points without the far few: what a map shows first. @param {Points} points */
export function middle(points) {
  const order = (/** @type {Float64Array} */ of) => [...of.keys()].sort((a, b) => of[a] - of[b]);
  const cut = Math.floor(points.n * 0.005);
  const out = new Set([points.x, points.y].flatMap((of) => {
    const sorted = order(of);
    return [...sorted.slice(0, cut), ...sorted.slice(points.n - cut)];
  }));
  return [...points.x.keys()].filter((at) => !out.has(at));
}

/** An area as rings of corners. @param {Area} area @returns {[number, number][][]} */
export function rings(area) {
  if (area.kind === "polygon") return [area.ring, ...(area.holes || [])];
  const [lon, lat] = area.centre, up = area.radius_m / 111_195;
  const aside = up / Math.max(0.02, Math.cos(lat * Math.PI / 180));
  return [Array.from({ length: 72 }, (_, at) => {
    const turn = at / 36 * Math.PI;
    return /** @type {[number, number]} */ ([lon + aside * Math.cos(turn), lat + up * Math.sin(turn)]);
  })];
}
