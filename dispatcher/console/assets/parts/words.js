/**
 * The service's codes in words: why something is at risk, what a rule says, what would free a request.
 * @module
 */

import { CODES } from "../core/codes.js";
import { words } from "./state.js";

/** @typedef {import("../core/store.js").Row} Row */

/** @type {Record<string, string>} */
export const RISKS = {
  nobody_left: "Nobody left to ask",
  sequence: "Sequence at risk",
  amendment: "Change unanswered",
  on_hold: "On hold",
  no_vendor: "No vendor yet",
  counter: "Counter-offer",
  unanswered: "Offer expiring",
  overdue: "Report overdue",
  report: "Under way",
  task: "Task due",
};

/** What the rule that removed the last vendor means. @type {Record<string, string>} */
const RULES = {
  competition: "vendors could serve it, but their capacity went to others",
  declined: "everybody who could serve it was asked, and did not take it",
  max_attempts: "it was offered as often as it may be",
  cap: "what its payer gives the vendors that could serve it is used up",
  capacity: "no unit is free in its window",
  pool_limits: "no pool that is free carries what the passenger brings",
  pools: "nobody has posted capacity for that day",
  hours: "nobody is open then",
  service_area: "no vendor's area has both doors",
  credentials: "the papers of whoever could serve it are not in order",
  level_of_service: "nobody serves its level of service",
  skills: "nobody has the skills it asks for",
  needs: "nobody meets the passenger's needs",
  hcpcs: "nobody carries all of its equipment",
  exclusions: "the request excludes whoever could serve it",
  paused: "whoever could serve it is paused",
  onboarding: "ops has not activated whoever could serve it",
  time_window: "no start within its window can be kept",
  arrival: "the appointment cannot be reached in time",
  sequence: "what goes before it has no place yet",
  bundle: "another part of its bundle has no place",
  match_by: "its deadline came before anybody could be asked",
  horizon_hours: "its window opens later than the matcher looks",
  on_hold: "it is on hold",
  predecessor: "what goes before it has no vendor",
};

/** @param {string} rule */
export function ruleSays(rule) {
  return RULES[rule] || words(rule);
}

/** A rule, or a code of a report or task, or several. @param {string} code */
export function codeSays(code) {
  return code.split(",").map(oneSays).join(", ");
}

/** @param {string} code */
function oneSays(code) {
  if (code.startsWith("plan.")) return `planning it fails in ${words(code.slice(5))}`;
  const [name = "", day] = code.toLowerCase().split(":"); // of a credential: its kind and its last day
  const said = CODES[name] || RULES[name] || words(name);
  return day ? `${said} until ${day}` : said;
}

/**
 * Why a row is where it is, in a sentence.
 * @param {Row} row
 */
export function why(row) {
  if (row.risk === "no_vendor" || row.risk === "nobody_left") {
    return row.why ? sentence(ruleSays(row.why)) : "Not tried yet";
  }
  if (row.risk === "on_hold") return `Waits for ${words(row.why || row.waits[0] || "somebody")}`;
  if (row.risk === "sequence") return sentence(words(row.why));
  if (row.risk === "unanswered") return `${row.vendor} has not answered`;
  if (row.risk === "counter") return `${row.vendor} would do it otherwise`;
  if (row.risk === "overdue") {
    return `${row.vendor} ${row.why ? `last reported ${words(row.why)}` : "has reported nothing"}`;
  }
  if (row.risk === "amendment") return `${row.vendor} has not agreed to the change`;
  return "";
}

/** @param {string} text */
export function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * One change of a relaxation.
 * @param {{ kind: string, rule?: string, amount?: number, unit?: string, start_at?: string, minutes?: number }} change
 * @param {(iso: string) => string} at
 */
export function changeSays(change, at) {
  const much = change.amount ? `${change.amount.toLocaleString("en")} ${change.unit || ""}`.trim() : "";
  if (change.kind === "units") {
    return `one more unit from ${change.start_at ? at(change.start_at) : "then"} for ${change.minutes} min`;
  }
  if (change.kind === "vendor_cap") return "one more request than its daily cap";
  if (change.kind === "penalty") return `worth ${much} more than leaving it out costs`;
  if (change.rule === "time_window") return `its window ${much} wider`;
  if (change.rule === "service_area" && change.unit === "metres" && change.amount) {
    return `its area ${Math.max(1, Math.round(change.amount / 1000)).toLocaleString("en")} km wider`;
  }
  if (change.rule === "arrival") return `${much} off at the appointment`;
  return much ? `${words(change.rule || "")}: ${much}` : `without the rule ${words(change.rule || "")}`;
}

const MINUTE = 60_000;
/** Until how long before its due time a risk is left alone, ms. @type {Record<string, number>} */
const CALM = {
  nobody_left: Infinity,
  sequence: Infinity,
  overdue: Infinity,
  amendment: 15 * MINUTE,
  on_hold: 120 * MINUTE,
  counter: Infinity,
  no_vendor: 90 * MINUTE,
  unanswered: 5 * MINUTE,
  report: -1,
};

/**
 * Whether a row needs somebody now.
 * @param {Row} row
 * @param {number} nowMs
 */
export function atRisk(row, nowMs) {
  const calm = CALM[row.risk];
  return calm !== undefined && calm >= 0 && row.due - nowMs <= calm;
}
