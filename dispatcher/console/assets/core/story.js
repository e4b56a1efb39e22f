/**
 * What became of a request, in order and in sentences: who did it, and why.
 * @module
 */

import { codeSays } from "../parts/words.js";
import { words } from "./codes.js";

/**
 * @typedef {object} Told
 * @property {number} at ms
 * @property {string} state whose colour it has
 * @property {string} says
 * @property {string} who by role, and by whom of it
 * @property {string} why what is known of the reason
 */

/** @typedef {{ id: string, vendor_id: string, state: string, at: string, code?: string, reference?: string, chosen_by?: string, mode?: string }} Attempt */

const LIVE = new Set(["requested", "accepted"]);
const WITH_VENDOR = new Set(["offered", "accepted", "in_progress", "completed", "no_show", "failed"]);
/** @type {Record<string, string>} */
const REASONS = {
  by_hand: "chosen by hand",
  declined: "the vendor declined",
  expired: "the vendor did not answer in time",
  withdrawn: "the offer before it was taken back to move it",
  amended: "the request changed",
  turned_back: "the vendor gave it back",
  match_by: "its deadline passed",
  released: "let go without what goes before it",
  activated: "the passenger is ready",
};

/** A code as words. @param {string} [code] */
export function reason(code = "") {
  return REASONS[code] || codeSays(code);
}

/** @param {{ by?: string, subject?: string }} of */
export function whoOf({ by = "", subject = "" }) {
  const role = by.replace(/^vendor:/, "vendor ").replaceAll("_", " ");
  return subject && subject !== by && !by.endsWith(`:${subject}`) ? `${subject} (${role})` : role;
}

/**
 * The offer that a step is about: the first that was not over by then.
 * @param {Attempt[]} attempts
 * @param {number} ms
 * @param {boolean} begins whether the step began it: one that ended at that very moment is the one before
 */
function attemptAt(attempts, ms, begins) {
  const goesOn = (/** @type {number} */ endedMs) => begins ? endedMs > ms : endedMs >= ms; // one gives way to the next
  return attempts.find((each) => LIVE.has(each.state) ? Date.parse(each.at) <= ms : goesOn(Date.parse(each.at)));
}

/** Steps while several are asked at once. @type {Record<string, string>} */
const STILL_ASKED = {
  willing: "A vendor would take it",
  nobody_willing: "Nobody has said yes so far",
  no_capacity: "A vendor took it, and had no room any more",
};

/** Of a counter-offer: the offer stays as it was. @type {Record<string, string>} */
const COUNTERED = { countered: "Counter-offer", counter_refused: "Refused: the counter-offer" };

/** @type {Record<string, (vendor: string, step: any) => string>} */
const SENTENCES = {
  received: () => "Waits for a vendor",
  matching: (_, step) =>
    step.by === "matcher" && !REASONS[step.code] ? "No vendor found yet" : "A vendor is sought again",
  on_hold: () => "Put on hold",
  offered: (vendor, step) =>
    COUNTERED[step.code]
      ? `${COUNTERED[step.code]} ${vendor ? `of ${vendor}` : "of a vendor"}`
      : `Offered to ${vendor || "a vendor"}`,
  accepted: (vendor) => `Accepted by ${vendor || "its vendor"}`,
  in_progress: (vendor) => `Under way with ${vendor || "its vendor"}`,
  completed: (vendor) => `Completed by ${vendor || "its vendor"}`,
  no_show: () => "Nobody came to the door",
  cancelled: () => "Cancelled",
  failed: () => "Failed",
  unmatched: () => "No vendor was found in time",
};

/**
 * @param {any} view a request as `GET …/requests/{id}` answers it
 * @param {any[]} [tasks] its tasks
 * @returns {Told[]} the earliest first
 */
export function story(view, tasks = []) {
  const attempts = view.attempts || [], history = view.history || [];
  const first = Date.parse(view.received_at);
  /** @type {Told[]} */
  const told = history.map((/** @type {any} */ step, /** @type {number} */ nth) => ({
    at: Date.parse(step.at),
    state: step.state,
    says: nth === 0 && Date.parse(step.at) === first ? cameIn(step.state) : sentence(step, attempts),
    who: whoOf(step),
    why: step.code === step.state || COUNTERED[step.code] ? "" : reason(step.code),
  }));
  if (!history.length || told[0].at > first) {
    told.unshift({ at: first, state: "received", says: "Came in; the oldest steps are not kept", who: "", why: "" });
  }
  told.push(...amendments(view.amendments || []), ...ofTasks(tasks));
  return told.sort((a, b) => a.at - b.at);
}

/** @param {string} state */
function cameIn(state) {
  return state === "on_hold" ? "Came in, on hold" : "Came in";
}

/** @param {any} step @param {Attempt[]} attempts */
function sentence(step, attempts) {
  const attempt = WITH_VENDOR.has(step.state)
    ? attemptAt(attempts, Date.parse(step.at), step.state === "offered")
    : undefined;
  if (step.state === "offered" && attempt?.mode === "broadcast") {
    return step.by === "matcher" ? "Several vendors asked at once" : STILL_ASKED[step.code] || "Others are still asked";
  }
  const says = (SENTENCES[step.state] || (() => step.state))(attempt?.vendor_id || "", step);
  return attempt?.reference && step.state === "accepted" ? `${says}, its number ${attempt.reference}` : says;
}

/** @param {any[]} all @returns {Told[]} */
function amendments(all) {
  return all.flatMap((each) => {
    const what = `Amended: ${(each.fields || []).map(words).join(", ") || "another start"}`;
    const begun = { at: Date.parse(each.at), state: "received", says: what, who: whoOf(each), why: "" };
    if (!each.settled_at || each.settled_at === each.at) return [{ ...begun, why: reason(each.outcome) }];
    return [begun, {
      at: Date.parse(each.settled_at),
      state: "received",
      says: `Amendment ${reason(each.outcome)}`,
      who: "",
      why: "",
    }];
  });
}

/** @param {any[]} tasks @returns {Told[]} */
function ofTasks(tasks) {
  return tasks.flatMap((task) => {
    const name = words(task.kind);
    /** @type {Told[]} */
    const told = [{
      at: Date.parse(task.opened_at),
      state: "on_hold",
      says: `Task for ${words(task.owner)}: ${name}`,
      who: "",
      why: reason(task.code),
    }];
    for (const comment of task.comments || []) {
      told.push({
        at: Date.parse(comment.at),
        state: "on_hold",
        says: `“${comment.text ?? ""}”`,
        who: whoOf(comment),
        why: `on ${name}`,
      });
    }
    if (task.ended_at) {
      told.push({
        at: Date.parse(task.ended_at),
        state: "completed",
        says: `Task done: ${name}`,
        who: task.claimed_by || "",
        why: reason(task.outcome),
      });
    }
    return told;
  });
}
