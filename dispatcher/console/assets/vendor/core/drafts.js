/**
 * What was typed and is not sent: it is there again after a reload, another panel, a sheet that a slip has closed.
 * In this tab alone, for a day, until it is sent or somebody signs out or in.
 * @module
 */

import { attempt, PREFIX } from "./forget.js";

const OLD_MS = 86_400_000;

/**
 * Keep what is typed into a form, and put back what was.
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {{ get: () => any, put: (kept: any) => void }} [more] what no field holds; its changes are told by `input`
 * @returns {() => void} to be called once it is sent, or is not wanted
 */
export function draft(form, name, more) {
  const key = PREFIX + name;
  restore(form, kept(key), more);
  const keep = () =>
    attempt(() => {
      const said = fields(form).map((each) => [each.name, valueOf(each)]);
      sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), said, more: more?.get() }));
    });
  for (const each of ["input", "change"]) form.addEventListener(each, keep);
  return () => attempt(() => sessionStorage.removeItem(key));
}

/** @param {string} key */
function kept(key) {
  const found = attempt(() => JSON.parse(sessionStorage.getItem(key) || "null"));
  return found && Date.now() - found.at < OLD_MS ? found : null;
}

/** @param {HTMLFormElement} form @param {any} found @param {{ put: (kept: any) => void }} [more] */
function restore(form, found, more) {
  const all = fields(form);
  if (!found || String(found.said.map((/** @type {any} */ [name]) => name)) !== String(all.map(named))) return;
  all.forEach((each, at) => put(each, found.said[at][1]));
  if (found.more !== undefined) more?.put(found.more);
}

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */

/** Those that a person fills in, but for pictures. @param {HTMLFormElement} form @returns {Field[]} */
function fields(form) {
  const all = /** @type {Field[]} */ ([...form.elements].filter((each) => each.matches("input, select, textarea")));
  return all.filter((each) => each.name && !["file", "hidden"].includes(each.type));
}

const named = (/** @type {Field} */ each) => each.name;

/** @param {Field} field */
function valueOf(field) {
  return field.type === "checkbox" ? /** @type {HTMLInputElement} */ (field).checked : field.value;
}

/** What hangs on a choice follows it. @param {Field} field @param {any} value */
function put(field, value) {
  if (field.type === "checkbox") /** @type {HTMLInputElement} */ (field).checked = value;
  else field.value = value;
  if (field instanceof HTMLSelectElement) field.dispatchEvent(new Event("change"));
}
