/**
 * What the Gantt shows, as a table and in words: for who does not see it, and for who wants to know.
 * @module
 */

import { h } from "../../core/dom.js";
import { empty } from "../figure.js";
import { stateMark, words } from "../state.js";
import { vendorLink } from "../view.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("./cells.js").Row} Row */
/** @typedef {{ row: Row, posted: number, booked: number, share: number, risks: number }} Told */

const NO_LIMIT = 10_000;

/** The table beside it. @param {Context} context @param {(row: Row) => void} to */
export function vendorsOptions(context, to) {
  return {
    label: "Vendors with their day",
    file: `gantt-${context.market}`,
    key: (/** @type {Told} */ each) => each.row.vendor,
    open: (/** @type {Told} */ each) => to(each.row),
    empty: "No vendor has posted capacity for this day.",
    columns: [
      {
        name: "vendor",
        says: "Vendor",
        width: 112,
        value: (/** @type {Told} */ each) => each.row.vendor,
        title: "Enter shows its row",
      },
      {
        name: "share",
        says: "Booked",
        width: 62,
        end: true,
        value: (/** @type {Told} */ each) => Math.round(each.share * 100),
        show: (/** @type {Told} */ each) => `${Math.round(each.share * 100)} %`,
      },
      {
        name: "booked",
        says: "Hours",
        width: 60,
        end: true,
        value: (/** @type {Told} */ each) => Math.round(each.booked * 10) / 10,
      },
      {
        name: "posted",
        says: "Posted",
        width: 62,
        end: true,
        value: (/** @type {Told} */ each) => Math.round(each.posted * 10) / 10,
      },
      { name: "risks", says: "At risk", width: 60, end: true, value: (/** @type {Told} */ each) => each.risks },
    ],
  };
}

/**
 * A cell in words: what is booked of what is posted, and by which requests.
 * @param {Row} row
 * @param {number} bucket
 * @param {import("./cells.js").Gantt} gantt
 * @param {Context} context
 */
export function cellTold(row, bucket, gantt, context) {
  const behind = gantt.behind(row, bucket), from = gantt.time(bucket), { zone } = context;
  return [
    h(
      "h2",
      {},
      vendorLink(context, row.vendor),
      row.name !== row.vendor && h("span", { class: "soft" }, ` ${row.name}`),
    ),
    h(
      "p",
      {},
      `${zone.time(from)} ${zone.abbreviation(from)}: `,
      h("strong", {}, `${row.booked[bucket]} of ${row.posted[bucket]}`),
      " booked",
      row.takesWork ? "" : "; paused",
    ),
    h(
      "p",
      { class: "soft small" },
      `${row.capBooked} dispatches on this day${row.cap < NO_LIMIT ? ` of at most ${row.cap}` : ""}`,
    ),
    behind.length
      ? h(
        "ul",
        { class: "plain" },
        behind.slice(0, 30).map((work) =>
          h(
            "li",
            {},
            h("a", { href: context.href("request", [work.id]) }, work.id),
            " ",
            stateMark(work.state),
            ` ${zone.time(work.start)}–${zone.time(work.end)}`,
            work.risk && h("strong", {}, ` at risk: ${work.risk}`),
          )
        ),
      )
      : h(
        "p",
        { class: "soft small" },
        row.booked[bucket]
          ? gantt.isRead ? "Booked by requests of another day." : "By which requests was not read yet."
          : "Nothing is booked here.",
      ),
    behind.length > 30 && h("p", { class: "soft small" }, `and ${behind.length - 30} more`),
  ];
}

/** What the colours of the cells mean. */
export function legend() {
  const key = (/** @type {string} */ name, /** @type {string} */ says) =>
    h("span", {}, h("span", { class: `gantt-key ${name}`, "aria-hidden": "true" }), says);
  return h(
    "div",
    { class: "legend", role: "group", "aria-label": "What the colours mean" },
    key("none", "Nothing posted"),
    key("free", "Free"),
    key("part", "Partly booked"),
    key("full", "Full"),
    key("over", "Over what is posted"),
    key("at-risk", "At risk"),
    key("now", "Now"),
  );
}

/** @param {{ day: string, level: string }} wish */
export function nothingPosted({ day, level }) {
  return empty(
    `No vendor has posted capacity for ${day}${level ? ` at ${words(level)}` : ""}.`,
    "Choose another day or level; vendors post by PUT …/vendors/{id}/capacity/{day}.",
  );
}
