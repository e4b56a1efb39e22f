/**
 * Acts on many requests at once: previewed, one by one under the version that was seen, told as they go.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { holdReason } from "./hold.js";
import { goesOn, version, waits } from "./shared.js";
import { dialog, field } from "../dialog.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

/** @param {Row[]} rows that were held @param {string} requirement @param {Context} context */
async function resumeAll(rows, requirement, context) {
  const asked = rows.map((row) => context.api.post(`/requests/${row.id}/resume`, { requirement }));
  const refused = (await Promise.allSettled(asked)).filter((each) => each.status === "rejected").length;
  toast(`${rows.length - refused} of ${rows.length} are resumed`, { grave: refused > 0 });
}

/**
 * @typedef {object} Many
 * @property {string} verb
 * @property {(row: Row) => boolean} fits
 * @property {string} others why the rest of the chosen are left alone
 */

/** @type {Record<"cancel" | "hold" | "resume" | "withdraw", Many>} */
const MANY = {
  cancel: { verb: "Cancel", fits: goesOn, others: "they have ended" },
  hold: { verb: "Hold", fits: waits, others: "a vendor is asked or has them, they are on hold already, or have ended" },
  resume: { verb: "Resume", fits: (row) => row.state === "on_hold", others: "they are not on hold" },
  withdraw: {
    verb: "Withdraw the offers of",
    fits: (row) => row.state === "offered",
    others: "no offer of theirs waits for its answer",
  },
};

/**
 * Acts on many at once: previewed, one by one under the version that was seen, told as it goes.
 * @param {Row[]} rows
 * @param {"cancel" | "hold" | "resume" | "withdraw"} what
 * @param {Context} context
 */
export function bulk(rows, what, context) {
  const { verb, fits, others } = MANY[what];
  const fit = rows.filter(fits);
  const left = rows.length - fit.length;
  const told = new Set(fit.map((row) => row.vendor).filter(Boolean));
  const reason = holdReason();
  const progress = h("progress", { max: fit.length || 1, value: 0, "aria-label": "Progress" });
  const result = h("div", { role: "status" });
  return dialog({
    title: `${verb} ${fit.length} ${fit.length === 1 ? "request" : "requests"}`,
    act: fit.length ? `${verb} ${fit.length}` : undefined,
    grave: what === "cancel" || what === "withdraw",
    wide: true,
    body: [
      left > 0 &&
      h("p", {}, `${left} of the ${rows.length} chosen are left as they are: ${others}.`),
      told.size > 0 && what !== "resume" &&
      h(
        "p",
        { class: "consequence" },
        `${told.size === 1 ? "1 vendor is" : `${told.size} vendors are`} relieved and told: ${
          [...told].slice(0, 8).join(", ")
        }${told.size > 8 ? " …" : ""}.`,
      ),
      what === "cancel" && h("p", { class: "consequence" }, "This cannot be undone."),
      what === "hold" && fit.length > 0 && field("Because", reason, "Only a case manager lifts an authorization."),
      h("p", { class: "soft" }, `${fit.slice(0, 12).map((row) => row.id).join(", ")}${fit.length > 12 ? " …" : ""}`),
      fit.length > 0 && progress,
      result,
    ],
    run: async (_, signal) => {
      const body = what === "hold" ? { reason: reason.value } : what === "withdraw" ? undefined : {};
      /** @type {[string, string][]} */
      const refused = [];
      /** @type {Row[]} */
      const changed = [];
      const started = crypto.randomUUID();
      for (const row of fit) {
        if (signal.aborted) break;
        try {
          await context.api.post(`/requests/${row.id}/${what}`, body, {
            ifMatch: version(row),
            key: `${started}-${row.id}`.slice(0, 128),
          });
          changed.push(row);
        } catch (error) {
          refused.push([row.id, error instanceof Error ? error.message.split("\n")[0] : String(error)]);
        }
        progress.value += 1;
      }
      const did = changed.length, stopped = signal.aborted ? "; stopped, the others are as they were" : "";
      toast(`${verb}: ${did} of ${fit.length} done${stopped}`, {
        undoSays: `Resume ${did}`,
        undo: what === "hold" && did ? () => void resumeAll(changed, reason.value, context) : undefined,
      });
      if (!refused.length) return true;
      fill(
        result,
        h("p", {}, `${did} done, ${refused.length} refused:`),
        h("ul", {}, refused.map(([id, says]) => h("li", {}, `${id}: ${says}`))),
      );
      fit.splice(0);
      throw new Error(
        `${refused.length} were refused; the others are done\nMaybe look at each: it changed since you chose it.`,
      );
    },
  });
}
