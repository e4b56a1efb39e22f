/**
 * A task with what a person may do about it: claim it, finish it, say something to it.
 * @module
 */

import { h } from "../core/dom.js";
import { about } from "../core/tasks.js";
import { authorize, renew, wants } from "./acts/authorize.js";
import { answerTask } from "./acts/answer.js";
import { settle, settleItem } from "./acts/settle.js";
import { choice, dialog, field } from "./dialog.js";
import { words } from "./state.js";
import { codeSays } from "./words.js";
import { toast } from "./toast.js";
import { aged } from "./aged.js";

/** @typedef {import("../core/app.js").Context} Context */

/** What ends a task that no finishing ends. @type {Record<string, string>} */
const ENDS = {
  authorization_missing: "Authorize…",
  authorization_running_out: "Renew…",
  price_dispute: "Settle…",
  score_dispute: "Answer…",
  statement_dispute: "Settle…",
};

/** @param {any} task @param {Context} context @param {"h2" | "h3"} [heading] as deep as what it stands under wants */
export function taskCard(task, context, heading = "h3") {
  const { zone, clock } = context, now = clock.now(), due = Date.parse(task.due_at);
  const button = (/** @type {string} */ key, /** @type {string} */ says, /** @type {() => any} */ act) =>
    h("button", { type: "button", onclick: act }, h("kbd", { "aria-hidden": "true" }, key), says);
  return h(
    "section",
    { class: "task" },
    h(heading, {}, `Task: ${words(task.kind)}`),
    h(
      "p",
      { class: "soft" },
      `with ${words(task.owner)} · due ${zone.moment(due, now)} · `,
      aged(due, now),
      task.claimed_by && ` · claimed by ${task.claimed_by}`,
      task.code && task.code !== task.kind && ` · ${codeSays(task.code)}`,
    ),
    task.window && h(
      "p",
      {},
      `Asked for: ${zone.moment(Date.parse(task.window.earliest), now)} to ${
        zone.moment(Date.parse(task.window.latest), now)
      }`,
    ),
    (task.comments || []).map((/** @type {any} */ each) =>
      h("p", { class: "comment" }, h("strong", {}, each.by), ` ${each.text}`)
    ),
    h(
      "div",
      { class: "acts" },
      mayAct(task, context) && !task.claimed_by && button("c", "Claim", () => claim(task, context)),
      mayAct(task, context) && button("f", ends(task), () => finish(task, context)),
      button("m", "Comment…", () => comment(task, context)),
    ),
  );
}

/** Whether whoever looks may claim and finish it: else it is not offered. @param {any} task @param {Context} context */
export function mayAct(task, context) {
  return context.may(...task.may_act);
}

/** What its end is called. @param {any} task @returns {string} */
export function ends(task) {
  return ENDS[task.kind] || "Finish…";
}

/** @param {any} task @param {Context} context */
export async function claim(task, context) {
  try {
    await context.api.post(`/tasks/${task.id}/claim`, {});
    toast(`${words(task.kind)} of ${about(task)} is yours`, {
      undoSays: "Put back",
      undo: () => release(task, context),
    });
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/** @param {any} task @param {Context} context */
async function release(task, context) {
  try {
    await context.api.post(`/tasks/${task.id}/release`, {});
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/** @param {any} task @param {Context} context */
export function finish(task, context) {
  if (task.kind === "price_dispute") return settle(task, context); // what is decided ends it
  if (task.kind === "statement_dispute") return settleItem(task, context);
  if (task.kind === "score_dispute") return answerTask(task, context);
  if (task.kind === "authorization_running_out") return renew(task.authorization_id, context);
  const held = task.kind === "authorization_missing" && context.store.get(task.request_id);
  if (held && wants(held)) return authorize(held, context);
  const outcome = choice("outcome", [["resolved", "Resolved: it was done"], [
    "arranged_otherwise",
    "Arranged otherwise",
  ], ["not_needed", "Not needed any more"]]);
  return dialog({
    title: `Finish ${words(task.kind)} of ${about(task)}`,
    act: "Finish",
    grave: true,
    body: field("Outcome", outcome, "A task that is done is not opened again by hand."),
    run: () => context.api.post(`/tasks/${task.id}/finish`, { outcome: outcome.value }),
  });
}

/** @param {any} task @param {Context} context */
export function comment(task, context) {
  const text = h("textarea", { name: "text", required: true, maxLength: 1000, autofocus: true });
  return dialog({
    title: `Comment on ${words(task.kind)} of ${about(task)}`,
    act: "Comment",
    body: field("Text", text, "Encrypted at rest. Whoever reads the task reads it."),
    run: () => context.api.post(`/tasks/${task.id}/comments`, { text: text.value }),
  });
}

/** The keys of a task. @param {any} task @param {Context} context @param {string} [group] */
export function taskKeys(task, context, group = "Its task") {
  return [
    ...mayAct(task, context)
      ? [
        { key: "c", says: "Claim its task", group, act: () => void claim(task, context) },
        { key: "f", says: "Finish its task", group, act: () => void finish(task, context) },
      ]
      : [],
    { key: "m", says: "Comment on its task", group, act: () => void comment(task, context) },
  ];
}
