/**
 * A patient's name and addresses, only on demand: that somebody looked is recorded.
 * @module
 */

import { h } from "../core/dom.js";
import { choice, dialog, field } from "./dialog.js";

/** @typedef {import("../core/app.js").Context} Context */

/** @type {[string, string][]} */
const REASONS = [
  ["care", "I arrange this patient's care"],
  ["call_back", "I call back"],
  ["complaint", "A complaint"],
  ["correction", "Something has to be corrected"],
  ["other", "Another reason"],
];

/**
 * The patient of a request; what is recorded is said before anything is read.
 * @param {string} id of the request
 * @param {Context} context
 */
export async function showPatient(id, context) {
  const found = await dialog({
    title: "Show the patient's name",
    body: [
      h(
        "p",
        {},
        `That you (${
          context.session.subject || context.session.roles.join(", ")
        }) looked, when and why, is recorded, and ops can list it.`,
      ),
      field("Why", choice("reason", REASONS)),
    ],
    act: "Show it, and record that I looked",
    run: (form) =>
      context.api.get(`/requests/${encodeURIComponent(id)}/patient`, { reason: String(form.get("reason")) }),
  });
  if (found) await shown(found);
}

/** The block, in a dialog that goes with what it shows. @param {any} patient */
function shown(patient) {
  const facts = [
    ["Name", patient.name],
    ["Record number", patient.record_number],
    ["Phone", patient.phone],
    ["From", patient.pickup_address],
    ["To", patient.dropoff_address],
    ["Notes", patient.notes],
  ];
  return dialog({
    title: "The patient",
    body: h(
      "dl",
      { class: "facts" },
      facts.filter(([, says]) => says).map(([name, says]) => [h("dt", {}, name), h("dd", {}, says)]),
    ),
  });
}
