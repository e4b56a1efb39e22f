/**
 * A vendor's scorecard of the last thirty days: figures, what stands behind each, its disputes.
 * @module
 */

import { h } from "../core/dom.js";
import { answer, disputesOf } from "./acts/answer.js";
import { dialog } from "./dialog.js";
import { csvButton, table } from "./table.js";
import { button, percent, requestLink, section, words } from "./view.js";
import { codeSays } from "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const BEHIND = 100; // that are shown of a figure; the CSV of the API has all
/** @type {Record<string, string>} */
const SAYS = {
  offers: "offers answered, or run out",
  works: "works ended",
  expired: "not answered in time",
  done: "done, arrival not reported",
  no_show: "patient not there",
};
/** @type {Record<string, string>} */
const QUARTERS = { 1: "the best quarter", 2: "the second quarter", 3: "the third quarter", 4: "the last quarter" };

/** What is drawn: the card, and what its vendor disputes. @param {Context} context @param {string} id */
export async function readScore(context, id) {
  const [card, disputes] = await Promise.all([
    context.api.get(`/vendors/${id}/scorecard`, {}, context.signal),
    disputesOf(context, id),
  ]);
  return { card, disputes };
}

/**
 * @param {{ card: any, disputes: any[] }} found
 * @param {Context} context
 * @param {() => unknown} again
 */
export function scoreOf({ card, disputes }, context, again) {
  return [figures(card, context), disputes.length > 0 && disputed(card.vendor_id, disputes, context, again)];
}

/** @param {any} card @param {Context} context */
function figures(card, context) {
  const rows = card.all.figures.filter((/** @type {any} */ each) => each.count);
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Scorecard",
    file: `${card.vendor_id}-scorecard`,
    rows,
    empty: "Nothing has come of its work on these days.",
    columns: [
      { name: "figure", says: "Figure", value: (row) => figureSays(row.figure) },
      {
        name: "count",
        says: "How often",
        value: (row) => row.count,
        show: (row) =>
          button(String(row.count), () => behind(card, row.figure, context), {
            class: "quiet",
            title: `What stands behind ${figureSays(row.figure)}`,
          }),
        end: true,
      },
      { name: "share", says: "Share", value: (row) => row.share, show: (row) => percent(row.share), end: true },
      {
        name: "low",
        says: "Between",
        value: (row) => row.low,
        show: (row) => row.share === null ? "" : `${percent(row.low)} and ${percent(row.high)}`,
      },
      { name: "few", says: "How sure", value: (row) => row.few && row.of ? "too few to tell much" : "" },
    ],
  };
  return section(`Scorecard, ${card.from} to ${card.to}`, csvButton(options), table(options), ...lines(card, context));
}

const LATE = { late_p50_minutes: "minutes late of half the arrivals", late_p90_minutes: "minutes late of nine in ten" };

/** @param {any} card @param {Context} context */
function lines(card, context) {
  const { arrivals, late_p50_minutes: half, late_p90_minutes: most } = card.all;
  const beside = card.quartiles.filter((/** @type {any} */ each) => each.quartile);
  return [
    arrivals > 0 && h(
      "p",
      { class: "soft" },
      `Of ${arrivals} arrivals half were no more than ${half} min late, nine in ten no more than ${most}.`,
    ),
    beside.length > 0 && h(
      "p",
      { class: "soft" },
      `Beside the market: ${
        beside.map((/** @type {any} */ each) => `${figureSays(each.figure)}, ${QUARTERS[each.quartile]}`).join("; ")
      }.`,
    ),
    card.upheld > 0 && h(
      "p",
      {},
      button(`${card.upheld} disputed and upheld: they count no more`, () => behind(card, "upheld", context), {
        class: "quiet",
      }),
    ),
  ];
}

/** @param {any} card @param {string} figure @param {Context} context */
async function behind(card, figure, context) {
  const asked = { figure, from: card.from, to: card.to, limit: BEHIND };
  const page = await context.api.get(`/vendors/${card.vendor_id}/scorecard/requests`, asked, context.signal);
  const now = context.clock.now();
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: figureSays(figure),
    file: `${card.vendor_id}-${figure}`,
    rows: page.requests,
    columns: [
      {
        name: "offer_id",
        says: "Request",
        value: (row) => row.offer_id,
        show: (row) => requestLink(context, row.request_id),
      },
      { name: "outcome", says: "Outcome", value: (row) => words(row.outcome) },
      { name: "at", says: "When", value: (row) => row.at, show: (row) => context.zone.moment(Date.parse(row.at), now) },
      { name: "level", says: "Level", value: (row) => words(row.level) },
      { name: "minutes", says: "Minutes", value: (row) => row.minutes, end: true },
      { name: "code", says: "Why", value: (row) => row.code && codeSays(row.code) },
      { name: "dispute", says: "Dispute", value: (row) => row.dispute && words(row.dispute) },
    ],
  };
  const more = page.cursor ? `The first ${BEHIND}.` : "";
  return dialog({
    title: figureSays(figure),
    body: [csvButton(options), table(options), h("p", {}, more)],
    wide: true,
  });
}

/** @param {string} id @param {any[]} disputes @param {Context} context @param {() => unknown} again */
function disputed(id, disputes, context, again) {
  const now = context.clock.now();
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Disputes",
    file: `${id}-disputes`,
    rows: disputes.toReversed(),
    tone: (row) => row.state === "open" ? "warn" : "",
    columns: [
      { name: "offer_id", says: "Offer", value: (row) => row.offer_id },
      { name: "outcome", says: "Outcome", value: (row) => words(row.outcome) },
      { name: "at", says: "Said", value: (row) => row.at, show: (row) => context.zone.moment(Date.parse(row.at), now) },
      { name: "text", says: "What it says", show: (row) => row.text },
      {
        name: "state",
        says: "Answer",
        value: (row) => row.state,
        show: (row) =>
          row.state === "open"
            ? button(`Answer ${row.offer_id} …`, async () => await answer(row, context) && again())
            : `${words(row.state)}: ${row.reason}`,
      },
    ],
  };
  return section("Disputes", csvButton(options), table(options));
}

/** @param {string} figure */
function figureSays(figure) {
  if (figure in LATE) return LATE[/** @type {keyof LATE} */ (figure)];
  const [name = "", code] = figure.split(".");
  const said = SAYS[name] || words(name);
  return code ? `${said}: ${codeSays(code)}` : said;
}
