/**
 * Telling somebody who looks elsewhere: by sound, or by the system's notifications; each kind by itself, all off
 * until they are wanted. One tab tells, and says how many, never whom.
 * @module
 */

import { settled } from "./dom.js";
import { atRisk, RISKS } from "../parts/words.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./time.js").Clock} Clock */
/** @typedef {{ sound: boolean, shown: boolean }} Choice */

/** Kinds that may be told, and the pitch of each, Hz. @type {Record<string, number>} */
export const KINDS = { no_vendor: 660, nobody_left: 880, unanswered: 520, overdue: 440, sequence: 740, task: 587 };

const KEY = "notify";

/** @returns {Record<string, Choice>} */
export function choices() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "{}");
  } catch {
    return {};
  }
}

/** @param {Record<string, Choice>} chosen */
export function choose(chosen) {
  localStorage.setItem(KEY, JSON.stringify(chosen));
}

/**
 * Watch a market until what is returned is called.
 * @param {{ store: Store, live: Live, clock: Clock, market: string }} of
 */
export function watch({ store, live, clock, market }) {
  /** @type {Set<string> | null} */
  let seen = null;
  const look = settled(() => {
    const now = clock.now();
    const found = new Map(
      store.rows().filter((row) => atRisk(row, now)).map((row) => [`${row.id} ${row.risk}`, row.risk]),
    );
    const before = seen;
    seen = new Set(found.keys());
    if (!before || !live.leads) return;
    for (const kind of Object.keys(KINDS)) {
      tell(kind, [...found].filter(([key, risk]) => risk === kind && !before.has(key)).length, market);
    }
  }, 500);
  const stops = [
    store.onChange(look),
    live.onChange((change) => {
      const opened = (change.kinds || {})["dispatch.task.opened"] || [];
      if (live.leads) tell("task", opened.length, market);
    }),
  ];
  const timer = setInterval(look, 10_000);
  return () => {
    clearInterval(timer);
    stops.forEach((stop) => stop());
  };
}

/** @param {string} kind @param {number} count @param {string} market */
function tell(kind, count, market) {
  const chosen = choices()[kind];
  if (!count || !chosen) return;
  if (chosen.sound) beep(KINDS[kind]);
  if (chosen.shown && Notification.permission === "granted") {
    new Notification(`${count} × ${RISKS[kind]}`, { body: `Dispatcher, market ${market}`, tag: `${market} ${kind}` });
  }
}

/** A short, soft tone. @param {number} pitch */
export function beep(pitch) {
  const audio = new AudioContext(), tone = audio.createOscillator(), loud = audio.createGain();
  tone.frequency.value = pitch;
  loud.gain.setValueAtTime(0.12, audio.currentTime);
  loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.35);
  tone.connect(loud).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.4);
  tone.onended = () => audio.close();
}
