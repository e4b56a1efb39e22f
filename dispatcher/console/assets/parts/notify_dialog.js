/**
 * Which kinds are told, and how.
 * @module
 */

import { h } from "../core/dom.js";
import { beep, choices, choose, KINDS } from "../core/notify.js";
import { dialog } from "./dialog.js";
import { RISKS } from "./words.js";

export function askNotify() {
  const chosen = choices();
  const box = (/** @type {string} */ kind, /** @type {"sound" | "shown"} */ how) =>
    h("input", {
      type: "checkbox",
      name: `${kind} ${how}`,
      checked: !!chosen[kind]?.[how],
      "aria-label": `${RISKS[kind]}: ${how === "sound" ? "sound" : "notification"}`,
      onchange: (/** @type {Event} */ event) => {
        if (how === "sound" && /** @type {HTMLInputElement} */ (event.target).checked) beep(KINDS[kind]);
      },
    });
  return dialog({
    title: "Sounds and notifications",
    act: "Keep",
    body: [
      h("p", { class: "soft" }, "Of this browser, in one of its tabs. They say how many, never whom."),
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h("tr", {}, ["When something new is", "Sound", "Notification"].map((each) => h("th", {}, each))),
        ),
        h(
          "tbody",
          {},
          Object.keys(KINDS).map((kind) =>
            h("tr", {}, h("td", {}, RISKS[kind]), h("td", {}, box(kind, "sound")), h("td", {}, box(kind, "shown")))
          ),
        ),
      ),
    ],
    run: async (form) => {
      const wanted = Object.fromEntries(
        Object.keys(KINDS).map((
          kind,
        ) => [kind, { sound: form.has(`${kind} sound`), shown: form.has(`${kind} shown`) }]),
      );
      choose(wanted);
      if (Object.values(wanted).some((each) => each.shown) && Notification.permission === "default") {
        await Notification.requestPermission();
      }
    },
  });
}
