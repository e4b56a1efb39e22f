/**
 * An episode drawn as its sequence: each request a box with state and time, an arrow to what goes after it.
 * @module
 */

import { h, svg } from "../core/dom.js";
import { words } from "./view.js";

const WIDE = 184, HIGH = 74, GAP_X = 56, GAP_Y = 18, EDGE = 12;

/**
 * Columns by what goes before: a request stands right of all its predecessors.
 * @param {string[]} ids
 * @param {{ before: string, after: string }[]} edges
 * @returns {string[][]}
 */
export function columnsOf(ids, edges) {
  /** @type {Map<string, number>} */
  const depth = new Map(ids.map((each) => [each, 0]));
  for (let round = 0; round < ids.length; round++) {
    let moved = false;
    for (const { before, after } of edges) {
      const wanted = (depth.get(before) ?? -1) + 1;
      if (depth.has(after) && depth.has(before) && (depth.get(after) ?? 0) < wanted) {
        depth.set(after, wanted);
        moved = true;
      }
    }
    if (!moved) break; // a circle would move for ever: the service allows none
  }
  const count = Math.max(0, ...depth.values()) + 1;
  return Array.from({ length: count }, (_, at) => ids.filter((each) => depth.get(each) === at));
}

/**
 * @param {any} episode
 * @param {import("../core/app.js").Context} context
 */
export function sequence(episode, context) {
  const columns = columnsOf(episode.requests.map((/** @type {any} */ each) => each.id), episode.sequence || []);
  const most = Math.max(1, ...columns.map((each) => each.length));
  const width = columns.length * (WIDE + GAP_X) - GAP_X + 2 * EDGE;
  const height = most * (HIGH + GAP_Y) - GAP_Y + 2 * EDGE;
  /** @type {Map<string, { x: number, y: number }>} */
  const places = new Map();
  columns.forEach((column, at) =>
    column.forEach((id, row) =>
      places.set(id, {
        x: EDGE + at * (WIDE + GAP_X),
        y: EDGE + row * (HIGH + GAP_Y) + (most - column.length) * (HIGH + GAP_Y) / 2,
      })
    )
  );
  const edges = (episode.sequence || []).map((/** @type {any} */ edge) => arrow(edge, places));
  const boxes = episode.requests.map((/** @type {any} */ each) => box(each, places, context));
  return h(
    "div",
    { class: "drawing", tabindex: "0", role: "region", "aria-label": "The sequence" },
    svg(
      "svg",
      { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told(episode) },
      edges,
      boxes,
    ),
  );
}

/** The drawing in words. @param {any} episode */
export function told(episode) {
  const requests = episode.requests.map((/** @type {any} */ each) =>
    `${each.id} ${words(each.state || "forgotten")}${each.at_risk ? `, at risk: ${words(each.at_risk)}` : ""}`
  );
  const edges = (episode.sequence || []).map((/** @type {any} */ each) =>
    `${each.before} before ${each.after} (${words(each.stands)})`
  );
  return [`Requests: ${requests.join("; ")}.`, edges.length ? `Sequence: ${edges.join("; ")}.` : ""].join(" ");
}

/** @param {any} edge @param {Map<string, { x: number, y: number }>} places */
function arrow(edge, places) {
  const from = places.get(edge.before), to = places.get(edge.after);
  if (!from || !to) return null;
  const bad = /risk|broken|late|failed|ended/.test(edge.stands) ? " bad" : "";
  const x1 = from.x + WIDE, y1 = from.y + HIGH / 2, x2 = to.x - 7, y2 = to.y + HIGH / 2, mid = (x1 + x2) / 2;
  return [
    svg("path", { class: `edge${bad}`, d: `M${x1} ${y1} C${mid} ${y1} ${mid} ${y2} ${x2} ${y2}` }),
    svg("path", { class: `edge-head${bad}`, d: `M${x2} ${y2 - 4} L${x2 + 7} ${y2} L${x2} ${y2 + 4} Z` }),
  ];
}

/** @param {any} request @param {Map<string, { x: number, y: number }>} places @param {import("../core/app.js").Context} context */
function box(request, places, context) {
  const place = places.get(request.id);
  if (!place) return null;
  const state = request.state || "cancelled", at = request.match?.start_at || request.earliest_at;
  const when = at ? context.zone.moment(Date.parse(at), context.clock.now()) : "no time yet";
  const last = request.at_risk
    ? words(request.at_risk)
    : [request.kind, request.match?.vendor_id].filter(Boolean).join(" · ");
  const mark = svg("rect", { class: "node-mark", x: 10, y: 10, width: 10, height: 10, rx: 2 });
  mark.style.setProperty("--state", `var(--state-${state})`);
  return svg(
    "g",
    { transform: `translate(${place.x} ${place.y})` },
    svg("rect", { class: `node-box${request.at_risk ? " risk" : ""}`, width: WIDE, height: HIGH, rx: 6 }),
    mark,
    svg("text", { x: 26, y: 19, class: "strong" }, short(request.id, 22)),
    svg("text", { x: 10, y: 40 }, `${words(request.state || "forgotten")} · ${when}`),
    svg("text", { x: 10, y: 60, class: request.at_risk ? "bad" : "soft" }, short(last, 28)),
    svg("title", {}, `${request.id}: ${words(request.state || "forgotten")}`),
  );
}

/** @param {string} text @param {number} length */
function short(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
