/**
 * Widening the window of a request, previewed; and back.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { fillWith, version } from "./shared.js";
import { dialog, field, showTrouble } from "../dialog.js";
import { money } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

/** @param {Row} row @param {Context} context */
export function widen(row, context) {
  const before = h("input", { name: "before", type: "number", min: 0, max: 720, step: 5, value: 0 });
  const after = h("input", { name: "after", type: "number", min: 0, max: 720, step: 5, value: 30, autofocus: true });
  const told = h("div", { class: "soft", role: "status" }, "Preview it before it is asked.");
  const body = () => {
    const window = {
      earliest: new Date(row.earliest - Number(before.value) * 60_000).toISOString(),
      latest: new Date(row.latest + Number(after.value) * 60_000).toISOString(),
    };
    return row.kind === "trip" ? { pickup_window: window } : { window };
  };
  const preview = h("button", {
    type: "button",
    onclick: async () => {
      fill(told, "Asking…");
      try {
        const answer = await context.api.post(`/requests/${row.id}/amend`, { ...body(), requote: true });
        fill(told, previewed(answer, context));
      } catch (error) {
        showTrouble(fillWith(told, h("p", { class: "trouble" })), error);
      }
    },
  }, "Preview");
  return dialog({
    title: `Widen the window of ${row.id}`,
    act: "Widen",
    body: [
      h("p", {}, `Now ${context.zone.moment(row.earliest, context.clock.now())} to ${context.zone.time(row.latest)}.`),
      h("div", { class: "row" }, field("Minutes earlier", before), field("Minutes later", after), preview),
      told,
      h(
        "p",
        { class: "consequence" },
        row.state === "accepted" || row.state === "in_progress"
          ? `${row.vendor} has the work: it is asked to agree. The platform is told.`
          : "The platform is told that its request was amended, by whom. Ask it first where the patient has to know.",
      ),
    ],
    run: async () => {
      const answer = await context.api.post(`/requests/${row.id}/amend`, body(), { ifMatch: version(row) });
      toast(`The window of ${row.id} is wider`, { undoSays: "Amend back", undo: () => narrow(row, context) });
      return answer;
    },
  });
}

/** @param {any} answer @param {Context} context */
export function previewed(answer, context) {
  const [best] = answer.quotes?.quotes || [];
  if (!best) return "Still no vendor could take it.";
  const start = context.zone.moment(Date.parse(best.start_at), context.clock.now());
  return `${answer.quotes.quotes.length} vendors could take it; the best is ${best.vendor_id} at ${start} for ${
    money(best.price_cents)
  }.`;
}

/** @param {Row} row @param {Context} context */
async function narrow(row, context) {
  const window = { earliest: new Date(row.earliest).toISOString(), latest: new Date(row.latest).toISOString() };
  try {
    await context.api.post(`/requests/${row.id}/amend`, row.kind === "trip" ? { pickup_window: window } : { window });
    toast(`The window of ${row.id} is as it was`);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}
