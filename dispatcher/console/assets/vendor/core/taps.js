/**
 * Taps that are on their way: kept on the phone until the service has them, sent in order, each once.
 *
 * A tap that may be undone is sent ten seconds later, and nothing of it before. What cannot be sent waits
 * until the service answers again; the service worker sends it, too, when the page is closed.
 * @module
 */

import { newKey } from "../../core/api.js";
import * as kept from "./kept.js";

/**
 * @typedef {object} Tap
 * @property {string} id its Idempotency-Key
 * @property {number} seq
 * @property {string} owner whose: `market/vendor`
 * @property {string} about which offer or dispatch
 * @property {string} kind what it says: `accept`, `status` …
 * @property {string} [value] such as the status
 * @property {string} [label] when the work begins: told where the work itself is gone
 * @property {string} method
 * @property {string} path
 * @property {any} [body] what is sent as JSON
 * @property {ArrayBuffer} [bytes] or as it is
 * @property {string} [media]
 * @property {number} due when it may go out, by this phone's clock
 * @property {boolean} [refused] the service did not take it
 * @property {string} [problem] why
 * @property {string} [type] of problem
 * @property {string[]} [rules] that it breaks
 * @property {number} [gone] the service has it, since when; what was read before does not show it
 */

export const UNDO_MS = 10_000;
export const WORD = "dispatcher-vendor";
const CHANNEL = "dispatcher-vendor-taps", LOCK = "dispatcher-vendor-taps";
const AGAIN_MS = [2_000, 5_000, 15_000, 30_000];
const PATIENCE_MS = 20_000;
const READ_BACK = ["accept", "decline", "counter", "status"]; // what came of them is read with offers and dispatches
const OFTEN = 429, OURS = 500, SIGNED_OUT = 401;

/** The taps of one vendor's people on this phone. */
export class Taps {
  /** @param {string} owner */
  constructor(owner) {
    this.owner = owner;
    /** @type {Tap[]} */
    this.list = [];
    this.failures = 0;
    this.timer = 0;
    /** @type {Map<string, Tap>} */
    this.gone = new Map();
    /** @type {Set<(sent?: Tap) => void>} */
    this.listeners = new Set();
    this.channel = new BroadcastChannel(CHANNEL);
    this.channel.onmessage = (message) => void this.read(message.data);
    addEventListener("online", () => this.soon(0));
    document.addEventListener("visibilitychange", () => document.hidden || this.soon(0));
  }

  /** @param {(sent?: Tap) => void} listener */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Those of an offer or dispatch that are on their way, or were refused. @param {string} about */
  of(about) {
    return this.list.filter((each) => each.about === about);
  }

  /**
   * Keep a tap, and send it: at once, or when it can no longer be undone.
   * @param {Omit<Tap, "id" | "seq" | "owner" | "due">} said
   * @param {boolean} [undo]
   */
  async put(said, undo = false) {
    const now = Date.now();
    const seq = Math.max(now, (this.list.at(-1)?.seq || 0) + 1);
    const tap = { ...said, id: newKey(), seq, owner: this.owner, due: undo ? now + UNDO_MS : now };
    await kept.put(tap);
    await this.told();
    void registered();
    return tap;
  }

  /** Undo a tap that was not sent yet, or put away one that was refused; whether that was so. @param {string} id */
  drop(id) {
    return alone(async () => {
      const found = (await kept.all()).find((each) => each.id === id);
      if (found) await kept.remove(id);
      await this.told();
      return Boolean(found);
    });
  }

  /** What the service has is shown by what was read from then on. @param {number} since */
  seen(since) {
    const over = this.list.filter((each) => each.gone && each.gone <= since);
    if (!over.length) return;
    for (const each of over) this.gone.delete(each.id);
    this.list = this.list.filter((each) => !over.includes(each));
    for (const each of this.listeners) each();
  }

  /** It was changed here: the other tabs show it, too. */
  told() {
    this.channel.postMessage(undefined);
    return this.read();
  }

  /** What is kept now. @param {Tap} [sent] */
  async read(sent) {
    const all = (await kept.all()).filter((each) => each.owner === this.owner);
    if (sent && READ_BACK.includes(sent.kind) && !all.some((each) => each.id === sent.id)) {
      this.gone.set(sent.id, { ...sent, gone: performance.now() });
    }
    this.list = [...this.gone.values(), ...all].sort((one, other) => one.seq - other.seq);
    for (const each of this.listeners) each(sent);
    const next = all.filter((each) => !each.refused).map(waitOf);
    if (next.length) this.soon(Math.max(Math.min(...next), this.pause()));
  }

  pause() {
    return this.failures ? AGAIN_MS[Math.min(this.failures, AGAIN_MS.length) - 1] || 0 : 0;
  }

  /** @param {number} ms */
  soon(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), ms);
  }

  async send() {
    const went = await sendDue(this.owner);
    this.failures = went ? 0 : this.failures + 1;
    await this.read();
  }
}

/**
 * Send what is due, in order; whether the service answered.
 * @param {string} owner
 */
export function sendDue(owner) {
  return alone(async () => {
    const channel = new BroadcastChannel(CHANNEL), held = new Set();
    try {
      for (const tap of await kept.all()) {
        if (tap.owner !== owner || tap.refused || held.has(tap.about)) continue;
        if (waitOf(tap)) held.add(tap.about); // what was said later of the same goes after it
        else if (!await sent(tap)) return false;
        else channel.postMessage(tap);
      }
      return true;
    } finally {
      channel.close();
    }
  });
}

/** How long it is held back still, in ms. @param {Tap} tap */
const waitOf = ({ due }) => Math.max(0, due - Date.now());

/** Until the first of those that may still be undone goes out, in ms; undefined: there is none. @param {string} owner */
export async function nextWait(owner) {
  const left = (await kept.all()).filter((each) => each.owner === owner && !each.refused);
  return left.map(waitOf).filter((each) => each <= UNDO_MS).sort((one, other) => one - other)[0];
}

/** @type {Promise<any>} */
let last = Promise.resolve();

/**
 * One at a time: in all tabs and the worker, or in this one alone where a browser has no locks (no https).
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
function alone(act) {
  if (navigator.locks) return navigator.locks.request(LOCK, act);
  return last = last.then(act, act);
}

/** Send one; whether the service has decided about it. @param {Tap} tap */
async function sent(tap) {
  let response;
  try {
    response = await fetch(tap.path, asked(tap));
  } catch {
    return false;
  }
  const again = response.status === OFTEN || response.status >= OURS || response.status === SIGNED_OUT;
  if (again) return false;
  if (response.ok) await kept.remove(tap.id);
  else await kept.put({ ...tap, refused: true, bytes: undefined, ...why(await response.json().catch(() => ({}))) });
  return true;
}

/** @param {Tap} tap @returns {RequestInit} */
function asked(tap) {
  /** @type {Record<string, string>} */
  const headers = { "X-Requested-With": WORD, Accept: "application/json" };
  if (tap.method === "POST") headers["Idempotency-Key"] = tap.id;
  if (tap.bytes) headers["Content-Type"] = tap.media || "application/octet-stream";
  else if (tap.body !== undefined) headers["Content-Type"] = "application/json";
  const body = tap.bytes || (tap.body === undefined ? undefined : JSON.stringify(tap.body));
  return { method: tap.method, headers, body, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
}

/** @param {Record<string, any>} told */
function why(told) {
  const type = String(told.type || "").split("/").at(-1) || "";
  return { problem: String(told.detail || told.title || ""), type, rules: told.rules };
}

/** A closed page's taps are sent by the service worker, where the browser can do that. */
async function registered() {
  const ready = await navigator.serviceWorker?.getRegistration();
  await /** @type {any} */ (ready)?.sync?.register("taps").catch(() => undefined);
}
