/**
 * Who is signed in: by the session that is open, or the code behind the # of a link.
 * @module
 */

import { Problem } from "../../core/api.js";
import { forgetDrafts } from "./forget.js";

/** @typedef {{ vendor_id: string, subject: string, market: string, tz: string, now_ms: number, version: string, places: [string, number, number][] }} Session */

const ENTER = "/vendor/enter";

/**
 * The session: the one that is open, the one that the link opens, or the one that a typed code does.
 * @param {import("../../core/api.js").Api} api
 * @param {HTMLElement} main
 * @returns {Promise<Session>}
 */
export async function signedIn(api, main) {
  const code = location.pathname === ENTER ? decodeURIComponent(location.hash.slice(1)) : "";
  if (location.pathname === ENTER) history.replaceState(null, "", "/vendor"); // it stays in no history
  try {
    return code ? await open(api, code) : await standing(api);
  } catch (error) {
    const still = code && await standing(api).catch(() => null); // the link of a session that is open, touched again
    if (still) return still;
    const { ask } = await import("../panels/enter.js"); // few have to: it is no part of the first load
    return ask(api, main, code || !(error instanceof Problem && error.status === 401) ? error : null);
  }
}

/** @param {import("../../core/api.js").Api} api @param {string} code @returns {Promise<Session>} */
export async function open(api, code) {
  const session = await api.post("/vendor/session", { code });
  forgetDrafts(); // another person's
  return session;
}

/** The session that is open; by its clock it is later now than when the worker kept it.
 * @param {import("../../core/api.js").Api} api @returns {Promise<Session>} */
export async function standing(api) {
  const { data, kept } = await api.call("GET", "/vendor/session");
  return { ...data, now_ms: data.now_ms + (kept ? Date.now() - kept : 0) };
}
