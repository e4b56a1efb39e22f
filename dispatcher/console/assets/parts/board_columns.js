/**
 * What the board says of each request.
 * @module
 */

import { money, stateMark, words } from "./state.js";
import { RISKS, why } from "./words.js";
import { until } from "../core/time.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../core/store.js").Row} Row */

/**
 * @param {Context} context
 * @returns {import("./grid_columns.js").Column<Row>[]}
 */
export function boardColumns({ clock, zone }) {
  const iso = (/** @type {number} */ ms) => ms ? new Date(ms).toISOString() : "";
  const moment = (/** @type {number} */ ms) => zone.moment(ms, clock.now());
  return [
    { name: "id", says: "Request", width: 176, least: 116, value: (row) => row.id },
    {
      name: "state",
      says: "State",
      width: 104,
      value: (row) => row.state,
      show: (row) => stateMark(row.state, row.status && row.state === "in_progress" ? words(row.status) : undefined),
    },
    {
      name: "due",
      says: "Due",
      width: 90,
      least: 80,
      value: (row) => iso(row.due),
      sort: (row) => row.due || Infinity,
      show: (row) => row.due ? until(row.due, clock.now()) : "",
    },
    {
      name: "why",
      says: "Why",
      width: 210,
      least: 104,
      grows: true,
      below: 1,
      value: (row) => row.risk && row.risk !== "report" ? [RISKS[row.risk], why(row)].filter(Boolean).join(": ") : "",
      show: why, // what its state does not say already
    },
    { name: "priority", says: "Priority", width: 64, value: (row) => row.priority },
    {
      name: "class",
      says: "Service",
      width: 92,
      least: 84,
      value: (row) => row.class,
      show: (row) => words(row.class),
    },
    {
      name: "earliest",
      says: "Window",
      width: 132,
      value: (row) => iso(row.earliest),
      sort: (row) => row.earliest,
      show: (row) => `${moment(row.earliest)}–${zone.time(row.latest)}`,
    },
    { name: "vendor", says: "Vendor", width: 84, least: 72, value: (row) => row.vendor },
    {
      name: "start",
      says: "Start",
      width: 88,
      value: (row) => iso(row.start),
      sort: (row) => row.start,
      show: (row) => moment(row.start),
    },
    {
      name: "price",
      says: "Price",
      width: 72,
      value: (row) => row.vendor ? row.cents / 100 : "",
      sort: (row) => row.cents,
      show: (row) => row.vendor ? money(row.cents) : "",
      end: true,
    },
    {
      name: "asked",
      says: "Asked",
      width: 48,
      value: (row) => row.asked,
      end: true,
      title: "How many offers there were",
    },
    { name: "episode", says: "Episode", width: 82, least: 72, value: (row) => row.episode },
  ];
}
