/**
 * What the acts have in common: which rows they are for, under which version, how their outcome is told.
 * @module
 */

import { toast } from "../toast.js";

/** @typedef {import("../../core/store.js").Row} Row */

export const CHOOSERS = ["ops", "coordinator"];

export const CANCEL_CODES = ["NO_CLIENT", "CANCEL_AT_DOOR", "NOT_READY", "PROVIDER_ADMIN_CANCEL"];

/** @param {Row} row */
export const goesOn = (row) => row.ended === 0;

/** @param {Row} row */
export const asks = (row) => row.ended === 0 && row.state !== "in_progress";

/** @param {Row} row */
export const waits = (row) => row.state === "received" || row.state === "matching";

/** @param {Row} row */
export const version = (row) => `"${row.version}"`;

/** @param {Promise<any>} asked @param {string} says */
export async function done(asked, says) {
  try {
    await asked;
    toast(says);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/** @param {HTMLElement} place @param {HTMLElement} made */
export function fillWith(place, made) {
  place.replaceChildren(made);
  return made;
}
