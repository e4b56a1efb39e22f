/**
 * Signing in: by a one-time link, or by a token that is pasted.
 * @module
 */

import { h } from "./dom.js";
import { showTrouble } from "../parts/dialog.js";

/** @typedef {import("./api.js").Api} Api */

/**
 * The session that a link's code opens; without one, or if it does not hold, a page that asks.
 * @param {Api} api
 * @param {string} code
 * @returns {Promise<any>}
 */
export async function signIn(api, code) {
  if (location.pathname === "/console/enter") history.replaceState(null, "", "/console");
  if (!code) return ask(api);
  try {
    return await api.post("/console/session", { code });
  } catch (error) {
    return ask(api, error);
  }
}

/**
 * @param {Api} api
 * @param {unknown} [trouble]
 */
function ask(api, trouble) {
  const { promise, resolve } = Promise.withResolvers();
  const told = h("p", { class: "trouble", role: "alert", hidden: true });
  const token = h("input", { type: "password", name: "token", autocomplete: "off", required: true, spellcheck: false });
  const form = h(
    "form",
    { class: "sign-in" },
    h("h1", {}, "Dispatcher"),
    h(
      "p",
      {},
      "Open the link that ",
      h("code", {}, "serve"),
      " or ",
      h("code", {}, "dispatcher console"),
      " printed, or paste a token.",
    ),
    h("label", { class: "field" }, h("span", { class: "field-label" }, "Token"), token),
    told,
    h("button", { class: "primary" }, "Sign in"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const session = await api.post("/console/session", { token: token.value.trim() });
      form.remove();
      resolve(session);
    } catch (error) {
      showTrouble(told, error);
    }
  });
  document.title = "Sign in · Dispatcher";
  document.body.append(form);
  if (trouble) showTrouble(told, trouble);
  token.focus();
  return promise;
}
