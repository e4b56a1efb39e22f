/**
 * Short news at the foot of the page: what was done, with its undo if there is an honest one.
 * @module
 */

import { h } from "../core/dom.js";

const STAYS_MS = 8_000;
const place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

/**
 * @param {string} says
 * @param {{ undo?: () => void, undoSays?: string, grave?: boolean }} [more] `undoSays`: "Withdraw", where a vendor was told
 */
export function toast(says, more = {}) {
  if (!place.isConnected) document.body.append(place);
  const made = h("div", { class: more.grave ? "toast grave" : "toast" }, h("span", {}, says));
  const close = () => made.remove();
  if (more.undo) {
    const act = more.undo;
    made.append(h("button", {
      class: "quiet",
      onclick: () => {
        close();
        act();
      },
    }, more.undoSays || "Undo"));
  }
  made.append(h("button", { class: "quiet", "aria-label": "Dismiss", onclick: close }, "×"));
  for (const each of [...place.children]) if (each.firstChild?.textContent === says) each.remove(); // said once
  place.append(made);
  setTimeout(close, more.undo || more.grave ? STAYS_MS * 2 : STAYS_MS);
}
