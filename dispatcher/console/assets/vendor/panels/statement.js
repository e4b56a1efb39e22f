/**
 * What a month's work comes to: each ride that is over with its lines, corrections, and all of it as a file.
 * @module
 */

import { saveCsv } from "../../core/csv.js";
import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { rows } from "./statement_rows.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const MONTHS = 4, PAGE = 100; // as many as are kept, until the service has said how many

export const title = () => t("statement.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, session, times, clock, signal } = context;
  const shown = h("div", { class: "cards" }), today = times.date(clock.now());
  const chosen = h("select", { onchange: () => void read() });
  const choices = (/** @type {number} */ many) =>
    chosen.append(...monthsUntil(today, chosen.length, many).map((each) => h("option", { value: each }, called(each))));
  choices(MONTHS);
  const path = () => `/vendors/${session.vendor_id}/statements/${chosen.value}`;
  const page = (/** @type {string} */ of, cursor = "") => api.get(`${of}/items`, { limit: PAGE, cursor }, signal);
  const read = async () => {
    const of = path();
    try {
      const sums = await api.get(of, {}, signal), first = await page(of);
      choices(1 + monthsBetween(times.date(sums.end_at), times.date(sums.kept_until)));
      if (of === path()) {
        redraw(
          shown,
          ...drawn(sums, first, { of, next: (cursor) => page(of, cursor), file: () => void file(of) }, context),
        );
      }
    } catch (error) {
      if (!signal.aborted && of === path()) redraw(shown, trouble(said(error)));
    }
  };
  const file = async (/** @type {string} */ of) => {
    try {
      const response = await api.fetch("GET", `${of}/csv`, { accept: "text/csv", signal });
      saveCsv(`statement-${chosen.value}`, await response.blob());
    } catch (error) {
      if (!signal.aborted) shown.prepend(trouble(said(error)));
    }
  };
  root.append(
    h("a", { class: "back", href: "/vendor/more" }, t("back")),
    h("h1", {}, title()),
    field(t("statement.month"), chosen),
    shown,
  );
  addEventListener("back", () => void read(), { signal });
  await read();
}

/**
 * @param {any} sums
 * @param {any} first page of items
 * @param {{ of: string, next: (cursor: string) => Promise<any>, file: () => void }} whence
 * @param {Context} context
 */
function drawn(sums, first, { of, next, file }, context) {
  const { corrections, open_work: left, open_disputes: disputed } = sums;
  const going = left ? t("statement.notFinal", { n: left }) : t("statement.going");
  return [
    h(
      "section",
      { class: "card" },
      h("span", { class: "price" }, t("statement.together", { price: money(sums.cents) })),
      h("span", { class: "soft" }, t("statement.rides", { n: sums.work })),
      corrections ? h("span", {}, t("statement.corrections", { price: money(sums.corrections_cents) })) : null,
      disputed ? h("span", { class: "warn" }, t("statement.disputed", { n: disputed })) : null,
      h("span", { class: "soft" }, sums.final ? t("statement.final") : going),
    ),
    first.items.length ? h("button", { onclick: file }, t("statement.save")) : null,
    ...first.items.length ? rows(of, first, next, context) : [h("p", { class: "empty" }, t("statement.none"))],
  ];
}

/** Months from this one back, from number `first` (0: this one) to before `end`. @param {string} today 2026-03-03 @param {number} first @param {number} end */
function monthsUntil(today, first, end) {
  const [year = 0, month = 1] = today.split("-").map(Number);
  return Array.from(
    { length: Math.max(0, end - first) },
    (_, more) => new Date(Date.UTC(year, month - 1 - first - more, 15)).toISOString().slice(0, "2026-03".length),
  );
}

/** @param {string} from 2026-03-01 @param {string} to */
function monthsBetween(from, to) {
  const [[year = 0, month = 0], [end = 0, last = 0]] = [from, to].map((each) => each.split("-").map(Number));
  return 12 * (end - year) + last - month;
}

/** A month as it is called: March 2026. @param {string} month */
function called(month) {
  const form = new Intl.DateTimeFormat(document.documentElement.lang, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  return form.format(Date.parse(`${month}-15`));
}
