/**
 * Signing in: by the code behind the # of a link, or typed.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { Problem } from "../../core/api.js";
import { forgetDrafts } from "./drafts.js";
import { field, once, said } from "./pieces.js";
import { t } from "./messages.js";

/** @typedef {{ vendor_id: string, subject: string, market: string, tz: string, now_ms: number, version: string }} Session */

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
    return ask(api, main, code || !(error instanceof Problem && error.status === 401) ? refusal(error) : "");
  }
}

/** @param {import("../../core/api.js").Api} api @param {string} code @returns {Promise<Session>} */
async function open(api, code) {
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

/** @param {unknown} error */
function refusal(error) {
  if (error instanceof Problem && error.status === 401) return t("enter.refused");
  if (error instanceof Problem && error.status === 403) return t("enter.wrong");
  return said(error);
}

/**
 * @param {import("../../core/api.js").Api} api
 * @param {HTMLElement} main
 * @param {string} why
 * @returns {Promise<Session>}
 */
function ask(api, main, why) {
  const trouble = h("p", { class: "trouble", role: "alert", hidden: !why }, why);
  const code = h("input", {
    name: "code",
    required: true,
    maxLength: 32,
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: false,
    placeholder: "XXXX-XXXX-XXXX",
  });
  return new Promise((resolve) => {
    const enter = once(async () => {
      try {
        resolve(await open(api, code.value));
      } catch (error) {
        trouble.textContent = refusal(error);
        trouble.hidden = false;
        code.select();
      }
    });
    const act = h("button", { type: "submit", class: "primary" }, t("enter.act"));
    const form = h("form", { class: "card enter", onsubmit: enter }, field(t("enter.code"), code), trouble, act);
    fill(main, h("h1", {}, t("enter.title")), h("p", {}, t("enter.text")), form);
    code.focus();
  });
}
