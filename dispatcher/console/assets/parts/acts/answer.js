/**
 * Answering a dispute of an outcome: what its vendor says, whether the outcome counts on, and why.
 * @module
 */

import { h } from "../../core/dom.js";
import { choice, dialog, field } from "../dialog.js";
import { words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */

/** The dispute that a task is about. @param {any} task @param {Context} context */
export async function answerTask(task, context) {
  try {
    const found = await disputesOf(context, task.vendor_id);
    const said = found.find((each) => each.id === `${task.offer_id}.${task.code}_dispute`);
    if (!said) return toast(`There is no dispute of ${task.offer_id} any more`, { grave: true });
    return answer(said, context);
  } catch (error) {
    return toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/** All of a vendor's disputes. @param {Context} context @param {string} vendorId @returns {Promise<any[]>} */
export async function disputesOf(context, vendorId) {
  const found = [], path = `/vendors/${vendorId}/scorecard/disputes`;
  for await (const page of context.api.pages(path, { limit: 200 }, context.signal)) found.push(...page.disputes);
  return found;
}

/** @param {any} said @param {Context} context */
export function answer(said, context) {
  const upheld = choice("upheld", [["", "Choose"], ["true", "Upheld: it counts no more"], ["false", "Not upheld"]]);
  upheld.required = true;
  const reason = h("textarea", { name: "reason", required: true, maxLength: 1000 });
  const { zone, clock } = context;
  return dialog({
    title: `Answer ${said.vendor_id} about ${said.offer_id}`,
    act: "Answer",
    grave: true,
    body: [
      h(
        "p",
        {},
        `${words(said.outcome)}${said.minutes === null ? "" : `, ${said.minutes} min`}${
          said.code && `, ${said.code}`
        }, ${zone.moment(Date.parse(said.outcome_at), clock.now())}: “${said.text}”`,
      ),
      field("The vendor is right", upheld, "It stays so: an answer is given once."),
      field("Reason", reason, "Encrypted at rest. The vendor reads it, and is told."),
    ],
    run: async () => {
      const body = { upheld: upheld.value === "true", reason: reason.value };
      const path = `/vendors/${said.vendor_id}/scorecard/disputes/${said.id}/answer`;
      const answered = await context.api.post(path, body);
      toast(`${words(said.outcome)} of ${said.offer_id}: ${words(answered.state)}`);
      return answered;
    },
  });
}
