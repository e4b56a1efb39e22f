/**
 * Answering a vendor's counter-offer: what it would be beside what was offered, then taken or refused.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { choice, dialog, field } from "../dialog.js";
import { money, words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

/**
 * What it would be, and how that differs; nothing is left to be guessed.
 * @param {any} counter
 * @param {Context} context
 * @returns {[string, string][]}
 */
export function counterSays(counter, context) {
  const start = context.zone.moment(Date.parse(counter.start_at), context.clock.now());
  const shift = counter.start_shift_minutes, beyond = counter.outside_window_minutes, more = counter.more_cents;
  const moved = shift === 0 ? "as offered" : `${Math.abs(shift)} min ${shift > 0 ? "later" : "earlier"}`;
  const cents = more === 0 ? "as offered" : `${money(Math.abs(more))} ${more > 0 ? "more" : "less"}`;
  return [
    ["Start", `${start}: ${moved}${beyond ? `, ${beyond} min outside the window` : ""}`],
    ["Price", `${money(counter.price_cents)}: ${cents}`],
    ...(counter.level_of_service
      ? [/** @type {[string, string]} */ (["Vehicle", words(counter.level_of_service)])]
      : []),
  ];
}

/** What it says, and what comes of taking it. @param {any} counter @param {Context} context */
function about(counter, context) {
  return [
    h(
      "dl",
      { class: "facts" },
      counterSays(counter, context).map(([name, says]) => [h("dt", {}, name), h("dd", {}, says)]),
    ),
    h(
      "p",
      { class: "consequence" },
      counter.outside_window_minutes
        ? "Taken, the vendor has the work and is told; the window of the request is widened, and the platform hears of it."
        : "Taken, the vendor has the work and is told.",
    ),
  ];
}

/** @param {Row} row @param {Context} context */
export async function answerCounter(row, context) {
  const view = await context.api.get(`/requests/${row.id}`);
  /** @type {any[]} */
  const waiting = view.attempts.filter((/** @type {any} */ each) => each.counter?.state === "pending");
  if (!waiting.length) return toast(`Nobody waits for an answer about ${row.id} any more`);
  const whose = choice("offer", waiting.map((each) => [each.id, each.vendor_id])); // of a broadcast, several counter
  const answer = choice("answer", [["take", "Take it"], ["refuse", "Refuse it"]]);
  const said = h("div"), chosen = () => waiting.find((each) => each.id === whose.value) ?? waiting[0];
  const show = () => fill(said, ...about(chosen().counter, context));
  whose.addEventListener("change", show);
  show();
  return dialog({
    title: waiting.length > 1
      ? `${waiting.length} vendors would do ${row.id} otherwise`
      : `${waiting[0].vendor_id} would do ${row.id} otherwise`,
    act: "Answer",
    grave: true,
    body: [
      waiting.length > 1 && field("Vendor", whose, "Once one is taken, the others are told that it is."),
      said,
      field("Answer", answer, "Refused, the offer stays open as it was made, until its time."),
    ],
    run: async () => {
      const attempt = chosen(), counter = attempt.counter;
      await context.api.post(`/offers/${attempt.id}/counter/${answer.value}`, { number: counter.number });
      toast(
        answer.value === "take" ? `${attempt.vendor_id} has ${row.id} so` : `${attempt.vendor_id} was told: not so`,
      );
    },
  });
}
