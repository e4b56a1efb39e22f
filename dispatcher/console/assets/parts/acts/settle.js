/**
 * Settling a disputed line of a price, or of a statement: what is said, what it costs now, and what it costs from then on.
 * @module
 */

import { h } from "../../core/dom.js";
import { dialog, field } from "../dialog.js";
import { money, words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */

/** @param {any} task @param {Context} context */
export async function settle(task, context) {
  const number = Number(task.id.split("_").at(-1)), path = `/dispatches/${task.offer_id}/price`;
  let price;
  try {
    price = await context.api.get(path);
  } catch (error) {
    return toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
  const said = price.disputes.find((/** @type {any} */ each) => each.number === number);
  const dollars = h("input", { name: "dollars", type: "number", step: "0.01" });
  const reason = h("textarea", { name: "reason", required: true, maxLength: 1000, autofocus: true });
  return dialog({
    title: `Settle the price of ${task.offer_id}`,
    act: "Settle",
    grave: true,
    body: [
      h("p", {}, `${said.by} on line ${said.line}, ${words(said.kind)}, ${money(said.cents)}: “${said.text}”`),
      lines(price),
      field("The line costs, in dollars", dollars, "Empty: it stays as it is."),
      field("Reason", reason, "Encrypted at rest. Vendor and platform read it; both are told of the price."),
    ],
    run: async () => {
      const cents = dollars.value === "" ? {} : { cents: Math.round(Number(dollars.value) * 100) };
      const settled = await context.api.post(`${path}/disputes/${number}/settle`, { reason: reason.value, ...cents });
      toast(`${task.offer_id} costs ${money(settled.price_cents)}`);
      return settled;
    },
  });
}

/**
 * Of a statement, once the request is forgotten: its task has what was said.
 * @param {any} task @param {Context} context
 */
export async function settleItem(task, context) {
  const [month = "", ...more] = task.id.split(".statement_dispute_").at(-1).split("_"), line = more.pop();
  const item = [task.offer_id, ...more].join(".");
  const path = `/vendors/${task.vendor_id}/statements/${month.slice(0, 4)}-${month.slice(4)}/items/${item}`;
  const costs = await context.api.get(path).then(
    (/** @type {any} */ found) => `${words(task.code)}, ${money(found.lines[Number(line) - 1].cents)}`,
    (error) => error instanceof Error ? error.message : String(error), // it can be ended all the same
  );
  const dollars = h("input", { name: "dollars", type: "number", step: "0.01" });
  const reason = h("textarea", { name: "reason", required: true, maxLength: 200, autofocus: true });
  return dialog({
    title: `Settle line ${line} of ${item}, ${task.vendor_id}`,
    act: "Settle",
    grave: true,
    body: [
      h("p", {}, `Line ${line}: ${costs}`),
      task.comments.map((/** @type {any} */ each) => h("p", {}, `${each.by}: “${each.text}”`)),
      field("The line costs, in dollars", dollars, "Empty: it stays as it is. Else a correction of today says so."),
      field("Reason", reason, "It stands in the audit: name no patient. The vendor is told what it costs, not why."),
    ],
    run: async () => {
      const cents = dollars.value === "" ? {} : { cents: Math.round(Number(dollars.value) * 100) };
      const settled = await context.api.post(`${path}/disputes/${line}/settle`, { reason: reason.value, ...cents });
      toast(`Line ${line} of ${item} is settled`);
      return settled;
    },
  });
}

/** @param {any} price */
function lines(price) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, h("th", {}, "Line"), h("th", { class: "number" }, "Cost"))),
    h(
      "tbody",
      {},
      price.price_lines.map((/** @type {any} */ each) =>
        h("tr", {}, h("td", {}, words(each.kind)), h("td", { class: "number" }, money(each.cents)))
      ),
      h("tr", {}, h("th", {}, "Price"), h("td", { class: "number" }, money(price.price_cents))),
    ),
  );
}
