/**
 * Where a code is typed, by whoever has no session.
 * @module
 */

import { Problem } from "../../core/api.js";
import { fill, h } from "../../core/dom.js";
import { add, t } from "../core/messages.js";
import { said } from "../core/pieces.js";
import { open } from "../core/sign_in.js";
import { field } from "./field.js";
import { once } from "./once.js";

add({
  "enter.title": ["Sign in", "Entrar"],
  "enter.text": [
    "Ask your dispatcher for a link or a code. It is good once.",
    "Pida un enlace o un código a su central. Sirve una sola vez.",
  ],
  "enter.code": ["Code", "Código"],
  "enter.act": ["Sign in", "Entrar"],
  "enter.refused": [
    "The code does not hold: it was used, is too old, or was misspelt. Ask for another.",
    "El código no sirve: ya se usó, venció o está mal escrito. Pida otro.",
  ],
  "enter.wrong": ["This page is for a vendor's people.", "Esta página es para el personal de un proveedor."],
});

/** @typedef {import("../core/sign_in.js").Session} Session */

/** @param {unknown} error */
function refusal(error) {
  if (error instanceof Problem && error.status === 401) return t("enter.refused");
  if (error instanceof Problem && error.status === 403) return t("enter.wrong");
  return said(error);
}

/**
 * Ask for the code until one opens a session.
 * @param {import("../../core/api.js").Api} api
 * @param {HTMLElement} main
 * @param {unknown} error why nobody is signed in, if that is to be said
 * @returns {Promise<Session>}
 */
export function ask(api, main, error) {
  const why = error ? refusal(error) : "";
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
