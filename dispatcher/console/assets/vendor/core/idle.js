/**
 * Who left the phone on the seat shows nothing: after fifteen minutes names and doors are behind a veil.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "./messages.js";

const AFTER_MS = 15 * 60_000, LOOK_MS = 5_000;

/** @param {HTMLElement[]} hidden what shows patients */
export function watchIdle(hidden) {
  let last = Date.now();
  /** @type {HTMLDialogElement | null} */
  let veil = null;
  /** @type {HTMLElement | null} */
  let held = null;
  const look = () => {
    if (Date.now() - last >= AFTER_MS && !veil) hide();
  };
  const hide = () => {
    held = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const show = h("button", { class: "primary", onclick: again }, t("idle.show"));
    veil = h(
      "dialog", // above a sheet that is open: that may show a name, and what was typed into it stays
      { class: "veil", "aria-labelledby": "veil-title", onclose: again },
      h("h2", { id: "veil-title" }, t("idle.title")),
      h("p", {}, t("idle.text")),
      show,
    );
    for (const each of hidden) each.inert = true;
    document.documentElement.dataset.idle = "";
    document.body.append(veil);
    veil.showModal();
    show.focus();
  };
  const again = () => {
    last = Date.now();
    veil?.remove();
    veil = null;
    delete document.documentElement.dataset.idle;
    for (const each of hidden) each.inert = false;
    held?.focus();
  };
  const seen = () => {
    if (!veil) look();
    if (!veil) last = Date.now();
  };
  for (const each of ["pointerdown", "keydown", "touchstart", "wheel"]) {
    addEventListener(each, seen, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MS);
}
