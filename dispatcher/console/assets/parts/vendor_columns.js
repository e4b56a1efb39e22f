/**
 * The columns of the list of vendors: how each fares, what it has, what is to be looked at.
 * @module
 */

import { h } from "../core/dom.js";
import { percent, words } from "./view.js";

/**
 * @typedef {object} Summary
 * @property {string} id
 * @property {number} version
 * @property {string} name
 * @property {string[]} levels_of_service
 * @property {number} equipment
 * @property {boolean} paused
 * @property {{ by: string, subject?: string, at: string, reason: string } | null} ops_pause
 * @property {string} onboarding
 * @property {{ kind: string, expires_on: string }[]} to_verify
 * @property {string | null} expires_on
 * @property {number} expired
 * @property {Record<string, number>} outcomes
 * @property {number} late_minutes
 * @property {number | null} went_well
 * @property {number} open
 * @property {boolean} posted_today
 */

/**
 * @param {import("../core/app.js").Context} context
 * @returns {import("./grid_columns.js").Column<Summary>[]}
 */
export function summaryColumns(context) {
  const count = (/** @type {string} */ name) => (/** @type {Summary} */ row) => row.outcomes[name] || 0;
  return [
    {
      name: "id",
      says: "Vendor",
      width: 130,
      least: 104,
      value: (row) => row.id,
      show: (row) => h("a", { class: "mono", href: context.href("vendors", [row.id]) }, row.id),
    },
    { name: "name", says: "Name", width: 190, least: 96, below: 1, value: (row) => row.name },
    {
      name: "state",
      says: "State",
      width: 130,
      least: 124,
      value: stateOf,
      show: (row) =>
        h(
          "span",
          { class: `tag ${toneOf(row)}` },
          stateOf(row),
        ),
    },
    {
      name: "open",
      says: "Open",
      width: 64,
      least: 52,
      value: (row) => row.open,
      end: true,
      title: "Offers and dispatches it has",
    },
    {
      name: "went_well",
      says: "Well",
      width: 72,
      least: 56,
      value: (row) => row.went_well === null ? "" : Math.round(row.went_well * 100),
      show: (row) => percent(row.went_well),
      end: true,
      title: "The share of its work that went well; matching goes by a damped one",
    },
    { name: "on_time", says: "On time", width: 80, least: 72, value: count("on_time"), end: true },
    { name: "late", says: "Late", width: 64, least: 52, value: count("late"), end: true },
    { name: "declined", says: "Declined", width: 84, least: 76, value: count("declined"), end: true },
    {
      name: "expired",
      says: "Silent",
      width: 72,
      least: 60,
      value: count("expired"),
      end: true,
      title: "Offers that it did not answer",
    },
    { name: "turned_back", says: "Turned back", width: 104, least: 96, value: count("turned_back"), end: true },
    {
      name: "no_show",
      says: "No-show",
      width: 80,
      least: 76,
      value: count("no_show"),
      end: true,
      title: "The patient's: the vendor was there",
    },
    {
      name: "to_verify",
      says: "To verify",
      width: 88,
      least: 80,
      value: (row) => row.to_verify.length,
      show: (row) => row.to_verify.length ? h("span", { class: "tag warn" }, row.to_verify.length) : "",
      end: true,
    },
    {
      name: "papers_expire",
      says: "Papers until",
      width: 104,
      least: 98,
      value: (row) => row.expires_on || "",
      title: "Of its verified papers that hold, the first to end",
    },
    { name: "posted_today", says: "Posted today", width: 104, value: (row) => row.posted_today ? "yes" : "no" },
    { name: "serves", says: "Serves", width: 240, least: 92, value: (row) => serves(row) },
  ];
}

/** @param {Summary} row */
function toneOf(row) {
  if (row.onboarding === "suspended" || row.ops_pause || row.expired) return "bad";
  return row.onboarding !== "active" || row.paused ? "warn" : "good";
}

/** @param {Summary} row */
export function stateOf(row) {
  if (row.onboarding !== "active") return row.onboarding;
  if (row.ops_pause) return "paused by ops";
  if (row.paused) return "paused itself";
  return row.expired ? "papers expired" : "takes work"; // what it serves may need just those
}

/** @param {Summary} row */
function serves(row) {
  const levels = row.levels_of_service.map(words).join(", ");
  return [levels, row.equipment ? `${row.equipment} kinds of equipment` : ""].filter(Boolean).join("; ");
}
