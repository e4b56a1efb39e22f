/**
 * The columns of statements: of vendors, and of the dispatches of one.
 * @module
 */

import { h } from "../core/dom.js";
import { dollars, requestLink, words } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

/** @param {Context} context @param {() => string} month */
export function vendorColumns(context, month) {
  const ended = (/** @type {string} */ name, /** @type {string} */ says) => ({
    name,
    says,
    width: 104,
    least: 88,
    value: (/** @type {any} */ row) => row.by_end.find((/** @type {any} */ each) => each.name === name)?.items || 0,
    end: true,
  });
  return [
    {
      name: "vendor_id",
      says: "Vendor",
      width: 160,
      least: 120,
      value: (/** @type {any} */ row) => row.vendor_id,
      show: (/** @type {any} */ row) =>
        h(
          "a",
          { class: "mono", href: context.href("statements", [row.vendor_id], { month: month() }) },
          row.vendor_id,
        ),
    },
    amount("owed", "Owed", (row) => row.cents),
    ended("completed", "Completed"),
    ended("no_show", "No-show"),
    ended("cancelled", "Cancelled"),
    ended("failed", "Failed"),
    ended("turned_back", "Turned back"),
    amount("corrections", "Corrections", (row) => row.corrections_cents),
    {
      name: "open_disputes",
      says: "Disputed",
      width: 84,
      value: (/** @type {any} */ row) => row.open_disputes,
      end: true,
    },
    { name: "open_work", says: "Not over", width: 84, value: (/** @type {any} */ row) => row.open_work, end: true },
    { name: "final", says: "Final", width: 72, value: (/** @type {any} */ row) => row.final ? "yes" : "no" },
  ];
}

/** @param {Context} context */
export function itemColumns(context) {
  return [
    {
      name: "offer_id",
      says: "Dispatch",
      width: 170,
      least: 130,
      value: (/** @type {any} */ row) => row.offer_id,
      show: (/** @type {any} */ row) => requestLink(context, row.request_id),
    },
    amount("cents", "Owed", (row) => row.cents),
    { name: "day", says: "Day", width: 100, least: 92, value: (/** @type {any} */ row) => row.day },
    {
      name: "end",
      says: "How it ended",
      width: 110,
      least: 104,
      value: (/** @type {any} */ row) => row.kind === "correction" ? row.kind : row.end,
      show: (/** @type {any} */ row) => words(row.kind === "correction" ? row.kind : row.end),
    },
    {
      name: "lines",
      says: "Lines",
      width: 380,
      least: 170,
      value: (/** @type {any} */ row) => row.lines.map(lineSays).join(" + "),
    },
    { name: "service", says: "Service", width: 120, least: 88, value: (/** @type {any} */ row) => words(row.service) },
    {
      name: "miles",
      says: "Miles",
      width: 70,
      least: 56,
      value: (/** @type {any} */ row) => row.miles || "",
      end: true,
    },
    {
      name: "waited_minutes",
      says: "Waited",
      width: 74,
      least: 64,
      value: (/** @type {any} */ row) => row.waited_minutes || "",
      end: true,
    },
    { name: "payer", says: "Payer", width: 120, least: 84, value: (/** @type {any} */ row) => row.payer },
    {
      name: "authorization",
      says: "Authorization",
      width: 130,
      least: 106,
      value: (/** @type {any} */ row) => row.authorization_number || row.authorization_id,
    },
    { name: "reference", says: "Reference", width: 120, least: 84, value: (/** @type {any} */ row) => row.reference },
  ];
}

/** @param {any} line */
function lineSays(line) {
  const what = [words(line.kind), line.hcpcs].filter(Boolean).join(" ");
  return `${what} ${dollars(line.cents)}${line.disputed ? " (disputed)" : line.note ? ` (${words(line.note)})` : ""}`;
}

/** @param {string} name @param {string} says @param {(row: any) => number} cents */
function amount(name, says, cents) {
  return {
    name,
    says,
    width: 110,
    least: 100,
    value: (/** @type {any} */ row) => cents(row) / 100,
    show: (/** @type {any} */ row) => dollars(cents(row)),
    end: true,
  };
}
