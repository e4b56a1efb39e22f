/**
 * What a person may do about a request: each act says first what it does, to whom, and what cannot be undone.
 * @module
 */

import { authorize, wants } from "./acts/authorize.js";
import { answerCounter } from "./acts/counter.js";
import { cancel, hold, liftable, resume } from "./acts/hold.js";
import { offer, takeOfferBack } from "./acts/offer.js";
import { pauseOrResume } from "./acts/pause.js";
import { asks, CHOOSERS, goesOn, waits } from "./acts/shared.js";
import { oneMoreUnit } from "./acts/units.js";
import { askForWindow, widen } from "./acts/window.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../core/store.js").Row} Row */

const READERS = ["platform", "coordinator", "case_manager", "ops"];
const AMENDERS = ["platform", "coordinator"];

/**
 * @typedef {object} Act
 * @property {string} key
 * @property {string} says
 * @property {(row: Row, context: Context) => boolean} can whether it is to be offered for this row
 * @property {(row: Row, context: Context) => Promise<any>} run
 */

/** @type {Act[]} */
export const ACTS = [
  {
    key: "o",
    says: "Offer to…",
    can: (row, context) => (waits(row) || row.state === "offered") && context.may(...CHOOSERS),
    run: offer,
  },
  { key: "w", says: "Widen the window…", can: (row, context) => goesOn(row) && context.may(...AMENDERS), run: widen },
  {
    key: "w",
    says: "Ask for a wider window…",
    can: (row, context) => asks(row) && context.may("ops") && !context.may(...AMENDERS),
    run: askForWindow,
  },
  {
    key: "q",
    says: "Ask the platform for a wider window…",
    can: (row, context) => asks(row) && context.may("coordinator"),
    run: askForWindow,
  },
  {
    key: "a",
    says: "Answer the counter-offer…",
    can: (row, context) => row.risk === "counter" && context.may("platform", "coordinator", "ops"),
    run: answerCounter,
  },
  { key: "u", says: "One more unit…", can: (row, context) => goesOn(row) && context.may("ops"), run: oneMoreUnit },
  {
    key: "p",
    says: "Pause the vendor…",
    can: (row, context) => !!row.vendor && context.may("ops"),
    run: (row, context) => pauseOrResume(context, row.vendor),
  },
  { key: "h", says: "Hold…", can: waits, run: hold },
  {
    key: "b",
    says: "Withdraw the offer…",
    can: (row, context) => row.state === "offered" && context.may(...CHOOSERS),
    run: takeOfferBack,
  },
  {
    key: "z",
    says: "Authorize…",
    can: (row, context) => wants(row) && context.may("case_manager"),
    run: authorize,
  },
  { key: "h", says: "Resume", can: (row, context) => liftable(row, context).length > 0, run: resume },
  { key: "x", says: "Cancel…", can: goesOn, run: cancel },
];

/**
 * Those that are to be offered, for this row and this session.
 * @param {Row} row
 * @param {Context} context
 */
export function actsOn(row, context) {
  return context.may(...READERS) ? ACTS.filter((each) => each.can(row, context)) : [];
}
