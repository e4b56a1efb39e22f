/**
 * A sheet from below: a question with its answers. Escape closes it; focus comes back to where it was.
 * @module
 */

import { Problem } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { draft } from "../core/drafts.js";
import { said } from "../core/pieces.js";
import { t } from "../core/messages.js";
import { once } from "./once.js";

/**
 * @typedef {object} Asked
 * @property {string} title
 * @property {any} body
 * @property {string} [act] what its button says; none: the body has its own
 * @property {string} [draft] what is typed is kept under this name until it is sent or cancelled
 * @property {(form: FormData) => Promise<any> | any} [run] what it raises is shown, and the sheet stays
 * @property {() => Promise<void>} [again] reads what the sheet was made from, once that has moved on and the sheet is closed
 */

const MOVED_ON = [409, 412, 428];

/**
 * Ask; what `run` gave, or the value of the button in the body that was pressed; undefined: closed.
 * @param {Asked} asked
 * @returns {Promise<any>}
 */
export function sheet(asked) {
  return new Promise((resolve) => {
    /** @type {any} */
    let result;
    const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const act = asked.act && h("button", { type: "submit", class: "primary" }, asked.act);
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "sheet-title" }, asked.title),
      asked.body,
      trouble,
      act,
      h("button", { type: "button", class: "quiet", onclick: () => cancel() }, t(asked.act ? "cancel" : "close")),
    );
    const settled = asked.draft ? draft(form, asked.draft) : () => undefined;
    let typed = false, behind = false;
    form.addEventListener("input", () => typed = true);
    const cancel = () => {
      settled();
      made.close();
    };
    const made = h("dialog", { class: "sheet", "aria-labelledby": "sheet-title" }, form);
    const answer = once(async () => {
      try {
        if (asked.run) result = await asked.run(new FormData(form)) ?? true;
        settled();
        made.close();
      } catch (error) {
        behind = error instanceof Problem && MOVED_ON.includes(error.status);
        trouble.textContent = error instanceof Hint ? error.message : said(error);
        trouble.hidden = false;
      }
    });
    form.addEventListener("submit", (event) => {
      if (!asked.run) result = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value;
      void answer(event);
    });
    const opener = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.at : undefined;
    made.addEventListener("close", () => {
      made.remove();
      if (document.activeElement === document.body) focusAgain(opener);
      resolve(result);
      if (behind && result === undefined) void asked.again?.();
    });
    made.addEventListener("click", (event) => event.target === made && !typed && made.close()); // a slip beside it loses nothing
    document.body.append(made);
    made.showModal();
  });
}

/** What the sheet was opened from was drawn anew meanwhile, or is gone. @param {string} [opener] its `data-at` */
function focusAgain(opener) {
  const main = document.querySelector("main");
  const again = opener && main?.querySelector(`[data-at="${CSS.escape(opener)}"]`);
  (again instanceof HTMLElement ? again : main)?.focus({ preventScroll: true });
}

/** What a person has to do first; it is said in their language. */
export class Hint extends Error {}

/** One of these, by one tap. @param {string} title @param {[value: string, says: string][]} choices */
export function choose(title, choices) {
  const buttons = choices.map(([value, says]) => h("button", { type: "submit", value }, says));
  return sheet({ title, body: h("div", { class: "choices" }, buttons) });
}
