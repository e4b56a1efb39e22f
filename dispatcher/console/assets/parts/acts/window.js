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

/** How much wider, and the window that it makes. @param {Row} row */
function wider(row) {
  const before = h("input", { name: "before", type: "number", min: 0, max: 720, step: 5, value: 0 });
  const after = h("input", { name: "after", type: "number", min: 0, max: 720, step: 5, value: 30, autofocus: true });
  const window = () => ({
    earliest: new Date(row.earliest - Number(before.value) * 60_000).toISOString(),
    latest: new Date(row.latest + Number(after.value) * 60_000).toISOString(),
  });
  return { fields: [field("Minutes earlier", before), field("Minutes later", after)], window };
}

/** @param {Row} row @param {Context} context */
const windowNow = (row, context) =>
  `Now ${context.zone.moment(row.earliest, context.clock.now())} to ${context.zone.time(row.latest)}.`;

/**
 * The platform is asked: only it knows what its patient can do.
 * @param {Row} row @param {Context} context
 */
export function askForWindow(row, context) {
  const { fields, window } = wider(row);
  return dialog({
    title: `Ask for a wider window of ${row.id}`,
    act: "Ask the platform",
    body: [
      h("p", {}, windowNow(row, context)),
      h("div", { class: "row" }, ...fields),
      h(
        "p",
        { class: "consequence" },
        "The request stays as it is. The platform has a task, and hears an event; the task ends once the window is as wide, or the platform says why not.",
      ),
    ],
    run: async () => {
      const answer = await context.api.post(`/requests/${row.id}/ask-window`, { window: window() }, {
        ifMatch: version(row),
      });
      toast(`The platform is asked for a wider window of ${row.id}`);
      return answer;
    },
  });
}

/** @param {Row} row @param {Context} context */
export function widen(row, context) {
  const { fields, window } = wider(row);
  const told = h("div", { class: "soft", role: "status" }, "Preview it before it is asked.");
  const body = () => (row.kind === "trip" ? { pickup_window: window() } : { window: window() });
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
      h("p", {}, windowNow(row, context)),
      h("div", { class: "row" }, ...fields, preview),
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
