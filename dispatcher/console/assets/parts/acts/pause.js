/**
 * Pausing a vendor with a reason that it reads, and ending that pause.
 * @module
 */

import { h } from "../../core/dom.js";
import { dialog, field } from "../dialog.js";
import { done } from "./shared.js";
import { toast } from "../toast.js";

/**
 * Pause with a reason, or end the pause of ops; whether it was done.
 * @param {import("../../core/app.js").Context} context
 * @param {string} id
 * @param {string} [reason] why ops has paused it
 * @returns {Promise<boolean>}
 */
export async function pauseOrResume(context, id, reason) {
  const acted = reason === undefined
    ? await dialog({
      title: `Pause ${id}`,
      body: [
        h(
          "p",
          {},
          "It gets no new offers until ops resumes it; what it has, it keeps. It reads who paused it and why.",
        ),
        field("Reason", h("input", { name: "reason", required: true, maxLength: 200, autofocus: true })),
      ],
      act: `Pause ${id}`,
      grave: true,
      run: (form) => context.api.post(`/vendors/${id}/pause`, { reason: String(form.get("reason")).trim() }),
    })
    : await dialog({
      title: `Resume ${id}`,
      body: h("p", {}, `Ops paused it: “${reason}”. From now on it is offered work again; a pause of its own stands.`),
      act: `Resume ${id}`,
      run: () => context.api.post(`/vendors/${id}/resume`),
    });
  if (!acted) return false;
  if (reason !== undefined) toast(`${id} takes work again`);
  else {
    toast(`${id} is paused`, {
      undoSays: "Resume",
      undo: () => done(context.api.post(`/vendors/${id}/resume`), `${id} takes work again`),
    });
  }
  return true;
}
