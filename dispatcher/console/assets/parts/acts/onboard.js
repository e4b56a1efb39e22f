/**
 * Taking a vendor on: applied, verified, active, suspended with a reason that it reads.
 * @module
 */

import { h } from "../../core/dom.js";
import { dialog, field } from "../dialog.js";
import { toast } from "../toast.js";

/** @type {Record<string, string[]>} */
const STEPS = {
  applied: ["verified", "suspended"],
  verified: ["active", "applied", "suspended"],
  active: ["suspended"],
  suspended: ["active", "applied"],
};

/**
 * Who was there before there were states is active.
 * @param {any} vendor
 * @returns {string}
 */
export function stateOf(vendor) {
  return vendor.onboarding?.state || "active";
}

/**
 * Ask for the next state; whether it was set.
 * @param {import("../../core/app.js").Context} context
 * @param {string} id
 * @param {any} vendor
 * @returns {Promise<boolean>}
 */
export async function onboard(context, id, vendor) {
  const now = stateOf(vendor);
  const acted = await dialog({
    title: `Onboarding of ${id}`,
    body: [
      h("p", {}, `It is ${now}. Only who is active is offered work; what it has agreed to stays its own.`),
      field(
        "State",
        h("select", { name: "state", autofocus: true }, STEPS[now].map((each) => h("option", { value: each }, each))),
      ),
      field("Reason (it reads it)", h("input", { name: "reason", maxLength: 200 })),
    ],
    act: "Set",
    run: (form) => {
      const reason = String(form.get("reason")).trim();
      const body = { state: String(form.get("state")), ...(reason ? { reason } : {}) };
      return context.api.post(`/vendors/${id}/onboarding`, body);
    },
  });
  if (acted) toast(`${id} is in another state`);
  return Boolean(acted);
}
