/**
 * What a month's work comes to: each ride that is over with its lines, corrections, and all of it as a file.
 * @module
 */

import { save } from "../../core/csv.js";
import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { level, priceTable, redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
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
          ...drawn(sums, first, (cursor) => page(of, cursor), () => void file(of), context),
        );
      }
    } catch (error) {
      if (!signal.aborted && of === path()) redraw(shown, trouble(said(error)));
    }
  };
  const file = async (/** @type {string} */ of) => {
    try {
      const response = await api.fetch("GET", `${of}/csv`, { accept: "text/csv", signal });
      save(`statement-${chosen.value}.csv`, await response.blob());
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
 * @param {(cursor: string) => Promise<any>} next
 * @param {() => void} file
 * @param {Context} context
 */
function drawn(sums, first, next, file, context) {
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
    ...first.items.length ? list(first, next, context) : [h("p", { class: "empty" }, t("statement.none"))],
  ];
}

/** A page of items; a month of thousands is shown as it is asked for. @param {any} first @param {(cursor: string) => Promise<any>} next @param {Context} context */
function list(first, next, context) {
  const rows = h("ul", { class: "cards" }), more = h("button", { onclick: () => void on() }, t("statement.more"));
  let cursor = "";
  const add = (/** @type {any} */ page) => {
    rows.append(...page.items.map((/** @type {any} */ each) => h("li", {}, row(each, context))));
    cursor = page.cursor;
    more.hidden = !cursor;
  };
  const on = async () => {
    const many = rows.children.length;
    more.disabled = true;
    try {
      add(await next(cursor));
      /** @type {HTMLElement | null | undefined} */ (rows.children[many]?.querySelector("summary"))?.focus();
    } catch (error) {
      if (!context.signal.aborted) more.before(trouble(said(error)));
    }
    more.disabled = false;
  };
  add(first);
  return [rows, more];
}

/** @param {any} item @param {Context} context */
function row(item, { times, clock }) {
  const end = item.kind === "correction" ? t("statement.correction") : t(`status.${item.end}`);
  const lines = item.lines.map((/** @type {any} */ each) => ({ ...each, note: each.hcpcs }));
  const about = [level({ level_of_service: item.service }), item.reference].filter(Boolean).join(" · ");
  return h(
    "details",
    { class: "card", dataset: { item: item.offer_id, kind: item.kind } },
    h("summary", {}, `${times.moment(item.start_at, clock.now())} · ${end} · ${money(item.cents)}`),
    h("p", { class: "soft" }, about),
    lines.some((/** @type {any} */ each) => each.disputed) ? h("p", { class: "warn" }, t("statement.open")) : null,
    priceTable(lines, item.cents),
  );
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
