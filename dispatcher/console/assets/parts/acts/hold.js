/**
 * Holding a request, resuming it, cancelling it.
 * @module
 */

import { h } from "../../core/dom.js";
import { CANCEL_CODES, done, version } from "./shared.js";
import { choice, dialog, field } from "../dialog.js";
import { words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

const LIFT_OTHERS = ["platform", "coordinator", "ops"];

export const holdReason = () =>
  choice(
    "reason",
    [["authorization", "It is not authorized"], ["predecessor", "Something has to come first"]],
    "predecessor",
  );

/** @param {Row} row @param {Context} context */
export function hold(row, context) {
  const reason = holdReason();
  return dialog({
    title: `Hold ${row.id}`,
    act: "Hold",
    body: [
      field("Because", reason, "Only a case manager lifts an authorization."),
      h(
        "p",
        { class: "consequence" },
        "No vendor is sought until it is resumed. Its deadline runs on.",
      ),
    ],
    run: async () => {
      await context.api.post(`/requests/${row.id}/hold`, { reason: reason.value }, { ifMatch: version(row) });
      toast(`${row.id} is on hold`, {
        undoSays: "Resume",
        undo: () =>
          done(
            context.api.post(`/requests/${row.id}/resume`, { requirement: reason.value }),
            `A vendor is sought for ${row.id}`,
          ),
      });
    },
  });
}

/**
 * What of that for which it waits this person may lift: who may else is told a 403.
 * @param {Row} row @param {Context} context
 */
export function liftable(row, context) {
  if (row.state !== "on_hold") return [];
  return row.waits.filter((each) => context.may(...each === "authorization" ? ["case_manager"] : LIFT_OTHERS));
}

/** @param {Row} row @param {Context} context */
export function resume(row, context) {
  const lifted = liftable(row, context), all = lifted.length === row.waits.length;
  const left = row.waits.filter((each) => !lifted.includes(each));
  return dialog({
    title: `Resume ${row.id}`,
    act: "Resume",
    body: [
      h("p", {}, `It waits for ${row.waits.map(words).join(", ")}.`),
      lifted.includes("authorization") &&
      h(
        "p",
        { class: "consequence" },
        "It goes on without an authorization, and draws on none: to enter one, Authorize.",
      ),
      h("p", {}, all ? "From now on a vendor is sought." : `It still waits for ${left.map(words).join(", ")}.`),
    ],
    run: async () => {
      const body = all ? {} : { requirement: lifted[0] };
      await context.api.post(`/requests/${row.id}/resume`, body, { ifMatch: version(row) });
      toast(all ? `A vendor is sought for ${row.id}` : `${row.id} waits for ${left.map(words).join(", ")}`);
    },
  });
}

/** @param {Row} row @param {Context} context */
export function cancel(row, context) {
  const code = choice("code", [
    ["", "no code"],
    ...CANCEL_CODES.map((each) => /** @type {[string, string]} */ ([each, words(each.toLowerCase())])),
  ]);
  return dialog({
    title: `Cancel ${row.id}`,
    act: "Cancel the request",
    grave: true,
    body: [
      field("Code", code),
      h(
        "p",
        { class: "consequence" },
        row.vendor ? `${row.vendor} is relieved of it and told so. ` : "",
        "This cannot be undone: what is wanted after all is submitted again.",
      ),
    ],
    run: async () => {
      await context.api.post(`/requests/${row.id}/cancel`, code.value ? { code: code.value } : {}, {
        ifMatch: version(row),
      });
      toast(`${row.id} is cancelled`);
    },
  });
}
