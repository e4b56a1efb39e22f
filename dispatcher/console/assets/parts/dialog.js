/**
 * Dialogs: a question with its fields, an act with its consequence said first. Escape closes; focus comes back.
 * @module
 */

import { Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { readAgain } from "../core/keys.js";

const MOVED_ON = [409, 412, 428]; // what the page shows, and this dialog was made from, is no longer so
const FASTER = "Somebody has changed it meanwhile: nothing of this was done.\n" +
  "Maybe close this: the page shows what is there now.";

/**
 * @typedef {object} Asked
 * @property {string} title
 * @property {any} [body] what stands above the buttons: nodes or text
 * @property {string} [act] what the button says: a verb ("Offer to v3"); none: there is only "Close"
 * @property {boolean} [grave] it cannot be undone, or tells somebody outside: Enter in a field leads to the button first
 * @property {(form: FormData, signal: AbortSignal) => Promise<any> | any} [run] what the button does; what it raises is shown, and the dialog stays
 * @property {boolean} [wide]
 */

/**
 * Show a dialog; what `run` gave when it was done, undefined when it was closed without.
 * @param {Asked} asked
 * @returns {Promise<any>}
 */
export function dialog(asked) {
  const { promise, resolve } = Promise.withResolvers();
  const ended = new AbortController();
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const act = asked.act && h("button", { type: "submit", class: asked.grave ? "grave" : "primary" }, asked.act);
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "dialog-title" }, asked.title),
    h("div", { class: "dialog-body" }, asked.body),
    trouble,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "quiet", onclick: () => made.close() }, "Close"),
      act,
    ),
  );
  const made = h("dialog", { "aria-labelledby": "dialog-title", class: asked.wide ? "wide" : "" }, form);
  /** @type {any} */
  let result, behind = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (act) act.disabled = true;
    trouble.hidden = true;
    made.toggleAttribute("data-busy", true);
    try {
      result = (await asked.run?.(new FormData(form), ended.signal)) ?? true;
      made.close();
    } catch (error) {
      behind = error instanceof Problem && MOVED_ON.includes(error.status);
      if (!ended.signal.aborted) showTrouble(trouble, error);
    } finally {
      if (act) act.disabled = false;
      made.toggleAttribute("data-busy", false);
    }
  });
  form.addEventListener("keydown", (event) => {
    const field = event.target instanceof HTMLSelectElement || event.target instanceof HTMLInputElement;
    if (event.key !== "Enter" || event.isComposing || !field) return;
    event.preventDefault(); // in a list, too, Enter is what the button does
    if (asked.grave && act) act.focus(); // what cannot be undone wants a second one
    else form.requestSubmit();
  });
  made.addEventListener("close", () => {
    ended.abort();
    made.remove();
    resolve(result);
    if (behind && result === undefined) readAgain();
  });
  document.body.append(made);
  made.showModal();
  /** @type {HTMLElement | null} */ (form.querySelector("[autofocus]") ||
    form.querySelector("input, select, textarea, button[type=submit]"))?.focus();
  return promise;
}

/**
 * What went wrong, with what may fix it on a line of its own.
 * @param {HTMLElement} place
 * @param {unknown} error
 */
export function showTrouble(place, error) {
  const stale = error instanceof Problem && error.type === "stale-version";
  const [what, ...remedies] = (stale ? FASTER : error instanceof Error ? error.message : String(error)).split("\n");
  fill(place, what, ...remedies.map((each) => h("span", { class: "remedy" }, each)));
  place.hidden = false;
}

/**
 * A labelled field of a dialog.
 * @param {string} label
 * @param {HTMLElement} control an input, select or textarea
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    control,
    hint && h("span", { class: "hint" }, hint),
  );
}

/**
 * A select.
 * @param {string} name
 * @param {[string, string][]} options value and what it says
 * @param {string} [chosen]
 */
export function choice(name, options, chosen = "") {
  const made = h("select", { name }, options.map(([value, says]) => h("option", { value }, says)));
  if (chosen) made.value = chosen;
  return made;
}
