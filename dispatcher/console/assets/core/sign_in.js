/**
 * Signing in: by a one-time link, or by a token that is pasted.
 * @module
 */

import { h } from "./dom.js";
import { showTrouble } from "../parts/dialog.js";

/** @typedef {import("./api.js").Api} Api */

/** Why a directory's sign-in did not end in a session. @type {Record<string, string>} */
const REFUSED = {
  "no-role":
    "your directory knows you, and none of your groups has a role here\nMaybe ask who runs the service to add one to DISPATCHER_OIDC_ROLES.",
  expired: "the sign-in took longer than ten minutes, or was begun in another window\nMaybe begin again.",
  denied: "your directory did not let you in\nMaybe you cancelled, or have no access to this service there.",
  unreachable: "your directory does not answer\nMaybe try again; who runs the service finds more in its log.",
  untrusted:
    "what your directory answered does not hold\nMaybe its clock differs, or DISPATCHER_OIDC_ISSUER is not what it calls itself.",
};

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
      page.remove();
      resolve(session);
    } catch (error) {
      showTrouble(told, error);
    }
  });
  api.get("/console/sign-in").then((ways) => {
    if (ways.directory) {
      form.prepend(h("a", { class: "button primary", href: "/console/oidc" }, "Sign in with your directory"));
    }
  }, () => {});
  const why = REFUSED[new URLSearchParams(location.search).get("refused") || ""];
  document.title = "Sign in · Dispatcher";
  const page = h("main", {}, form);
  document.body.append(page);
  if (trouble || why) showTrouble(told, trouble || why);
  token.focus();
  return promise;
}
