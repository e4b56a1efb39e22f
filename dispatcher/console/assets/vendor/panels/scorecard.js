/**
 * What became of the vendor's work: each figure, how sure it is, how the market does, and what stands behind it.
 * @module
 */

import { h } from "../../core/dom.js";
import { figure, has, t } from "../core/messages.js";
import { redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { behind } from "./scorecard_requests.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const PERIODS = [7, 30, 90], HUNDRED = 100;

export const title = () => t("scorecard.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, session, times, clock, signal, path: [name = "", days = "30"] } = context;
  if (name) return behind(root, name, Number(days), context);
  const shown = h("div", { class: "cards" });
  const period = h(
    "select",
    { onchange: () => void read() },
    PERIODS.map((n) => h("option", { value: n }, t("scorecard.days", { n }))),
  );
  period.value = "30";
  const read = async () => {
    const today = times.date(clock.now()), query = { from: times.later(today, 1 - Number(period.value)), to: today };
    try {
      const card = await api.get(`/vendors/${session.vendor_id}/scorecard`, query, signal);
      redraw(shown, ...cardOf(card, period.value));
    } catch (error) {
      if (!signal.aborted) redraw(shown, trouble(said(error)));
    }
  };
  root.append(
    h("a", { class: "back", href: "/vendor/more" }, t("back")),
    h("h1", {}, title()),
    field(t("scorecard.period"), period),
    shown,
  );
  addEventListener("back", () => void read(), { signal });
  await read();
}

/** @param {any} card @param {string} days */
function cardOf(card, days) {
  const quartiles = Object.fromEntries(card.quartiles.map((/** @type {any} */ each) => [each.figure, each.quartile]));
  const some = card.all.figures.filter((/** @type {any} */ each) => each.count || each.of);
  const { late_p50_minutes: half, late_p90_minutes: most, arrivals } = card.all;
  if (!some.length) return [h("p", { class: "empty" }, t("scorecard.none"))];
  return [
    h(
      "ul",
      { class: "cards" },
      some.map((/** @type {any} */ each) => h("li", {}, row(each, quartiles[each.figure], days))),
    ),
    most === null ? null : h("p", { class: "soft" }, t("scorecard.late", { half, most, n: arrivals })),
    most === null ? null : beside("scorecard.half", quartiles.late_p50_minutes),
    most === null ? null : beside("scorecard.nine", quartiles.late_p90_minutes),
    group(t("scorecard.level"), card.by_level, (name) => has(`level.${name}`) ? t(`level.${name}`) : name),
    group(t("scorecard.hour"), card.by_hour, (name) => `${name.padStart(2, "0")}:00`),
  ];
}

/** How late it was beside the market. @param {string} of @param {number | null} quartile */
function beside(of, quartile) {
  return quartile
    ? h("p", { class: quartile === 1 ? "good" : "soft" }, `${t(of)}: ${t(`quartile.${quartile}`)}`)
    : null;
}

/** @param {any} found @param {number | null} quartile @param {string} days */
function row(found, quartile, days) {
  return h(
    "a",
    { class: "card figure", href: `/vendor/scorecard/${encodeURIComponent(found.figure)}/${days}` },
    h("span", { class: "who" }, called(found.figure)),
    h("span", { class: "price" }, found.share === null ? String(found.count) : percent(found.share)),
    found.share === null ? null : h(
      "span",
      { class: "soft" },
      t("scorecard.of", { n: found.count, of: found.of, low: percent(found.low), high: percent(found.high) }),
    ),
    found.few ? h("span", { class: "warn" }, t("scorecard.few")) : null,
    quartile ? h("span", { class: quartile === 1 ? "good" : "soft" }, t(`quartile.${quartile}`)) : null,
  );
}

/** @param {number} share */
const percent = (share) => `${figure(share * HUNDRED, 0)} %`;

/** A figure as a person says it. @param {string} name */
export function called(name) {
  const [first = "", code] = name.split(".");
  return `${t(`figure.${first}`)}${code ? `: ${has(`code.${code}`) ? t(`code.${code}`) : code}` : ""}`;
}

/** @param {string} what @param {any[]} groups @param {(name: string) => string} says */
function group(what, groups, says) {
  const shares = (/** @type {any} */ each) => each.figures.find((/** @type {any} */ one) => one.figure === "on_time");
  const rows = groups.filter((each) => shares(each)?.of).map((each) => {
    const found = shares(each);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, says(each.name)),
      h("td", {}, `${found.count}/${found.of}`),
      h("td", {}, found.share === null ? "" : percent(found.share)),
    );
  });
  if (!rows.length) return null;
  return h(
    "section",
    { class: "card" },
    h("h2", {}, `${t("figure.on_time")}, ${what}`),
    h("table", {}, h("tbody", {}, rows)),
  );
}
