/**
 * What a vendor posted for a day, and what is booked of it, drawn by pool.
 * @module
 */

import { h, svg } from "../core/dom.js";
import { section } from "./view.js";

/** Capacity of a day, as posted and as booked. @param {string} id of the vendor @param {any} day */
export function capacity(id, day) {
  const at = day
    ? day.vendor.flatMap((/** @type {string} */ each, /** @type {number} */ place) => each === id ? [place] : [])
    : [];
  if (!at.length) {
    return section(
      "Capacity today",
      null,
      h("p", { class: "soft" }, "It has posted nothing for today: it is offered nothing that starts today."),
    );
  }
  return section(
    "Capacity today",
    null,
    h("p", { class: "soft" }, `Booked of posted, ${day.day}, ${day.tz}.`),
    at.map((/** @type {number} */ place) => pool(day, place)),
  );
}

/** @param {any} day @param {number} place */
function pool(day, place) {
  const posted = unrun(day.posted[place]), booked = unrun(day.booked[place]);
  const name = day.pool[place];
  const most = Math.max(1, ...posted, ...booked);
  const peak = Math.max(0, ...booked), width = 720, height = 56;
  const step = width / Math.max(1, posted.length);
  const path = (/** @type {number[]} */ values) =>
    `M0 ${height} ` + values.map((value, x) =>
      `L${(x * step).toFixed(1)} ${(height - value / most * (height - 4)).toFixed(1)} L${((x + 1) * step).toFixed(1)} ${
        (height - value / most * (height - 4)).toFixed(1)
      }`
    ).join(" ") + ` L${width} ${height} Z`;
  const hours = [0, 6, 12, 18].map((hour) =>
    svg("text", { x: hour / 24 * width + 2, y: height + 13, class: "soft" }, `${String(hour).padStart(2, "0")}:00`)
  );
  return h(
    "figure",
    { class: "drawing capacity" },
    h("figcaption", {}, `${name}: at most ${Math.max(0, ...posted)} units posted, ${peak} booked at once`),
    svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${height + 18}`,
        role: "img",
        "aria-label": `Pool ${name}: ${peak} booked at once of ${Math.max(0, ...posted)} posted`,
      },
      svg("path", { d: path(posted), class: "bar-mark soft" }),
      svg("path", { d: path(booked), class: "bar-mark" }),
      svg("path", { d: `M0 ${height} H${width}`, class: "axis" }),
      hours,
    ),
  );
}

/** Runs as values: each, as often as it holds. @param {number[]} runs */
export function unrun(runs) {
  /** @type {number[]} */
  const values = [];
  for (let at = 0; at < runs.length; at += 2) for (let times = 0; times < runs[at + 1]; times++) values.push(runs[at]);
  return values;
}
