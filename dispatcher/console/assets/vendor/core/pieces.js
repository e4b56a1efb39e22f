/**
 * Pieces that several panels are made of.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { Problem } from "../../core/api.js";
import { afterPress } from "../../core/press.js";
import { figure, has, money, t } from "./messages.js";
import { countdown, ms } from "./times.js";

export const POUNDS_A_KILOGRAM = 2.2046;

/** What an offer asks for, in words. @param {any} offer @returns {string[]} */
export function needs(offer) {
  const given = offer.needs || {};
  const found = ["attendants", "escorts", "oxygen_l_min", "stairs"].filter((each) => given[each])
    .map((each) => t(`need.${each}`, { n: figure(given[each]) }));
  if (given.weight_kg) found.push(t("need.weight_kg", { n: figure(given.weight_kg * POUNDS_A_KILOGRAM, 0) }));
  if (given.infectious_precautions) found.push(t("need.infectious_precautions"));
  if (given.door_level) found.push(t(`door.${given.door_level}`));
  const skills = offer.skills.map((/** @type {string} */ each) => t(`skill.${each}`));
  const lines = offer.lines.map((/** @type {any} */ each) =>
    t("line", { n: each.quantity, code: each.hcpcs, minutes: each.setup_minutes })
  );
  return [...new Set([...found, ...skills, ...lines])];
}

/** wheelchair, or equipment @param {any} offer */
export const level = (offer) => t(`level.${offer.level_of_service || "equipment"}`);

/** The lines of a price, and what they add up to. @param {any[]} lines @param {number} total */
export function priceTable(lines, total) {
  const row = (/** @type {any} */ each) =>
    h("tr", {}, h("th", { scope: "row" }, priceName(each)), h("td", {}, money(each.cents)));
  return h(
    "table",
    { class: "prices" },
    h("tbody", {}, lines.map(row)),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("price.total")), h("td", {}, money(total)))),
  );
}

/** @param {any} line */
function priceName(line) {
  const many = line.quantity > 1 ? ` × ${figure(line.quantity)}` : "";
  return `${t(`price.${line.kind}`)}${
    line.kind === "equipment" && line.note ? ` ${line.note.split(" ")[0]}` : ""
  }${many}`;
}

/**
 * A link that the phone's own map opens: no web page is asked.
 * @param {[number, number]} position
 * @param {string} text
 * @param {string} [label] said to who does not see where it stands
 */
export function mapLink([lon, lat], text, label) {
  const apple = /iPhone|iPad|Macintosh/.test(navigator.userAgent);
  const href = apple ? `maps:?daddr=${lat},${lon}` : `geo:${lat},${lon}?q=${lat},${lon}`;
  return h("a", { class: "button", href, "aria-label": label, rel: "noreferrer" }, text);
}

const TICK_MS = 500, SHORT_MS = 60_000;
let now = () => Date.now();

/** Every countdown runs by the service's clock from here on. @param {() => number} serviceNow */
export function runCountdowns(serviceNow) {
  now = serviceNow;
  setInterval(
    () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-until]")).forEach(tick),
    TICK_MS,
  );
}

/** A time that runs down, by the service's clock. @param {string | number} until */
export function untilElement(until) {
  return tick(h("span", { class: "countdown", role: "timer", dataset: { until: String(ms(until)) } }));
}

/** @param {HTMLElement} made */
function tick(made) {
  const left = Number(made.dataset.until) - (made.dataset.own ? Date.now() : now());
  const text = left > 0 || made.dataset.own ? countdown(left) : t("offer.over");
  if (made.textContent !== text) made.textContent = text;
  made.toggleAttribute("data-short", left < SHORT_MS);
  return made;
}

/** What went wrong, in the reader's language as far as we have it. @param {unknown} error */
export function said(error) {
  if (error instanceof Problem) return problem(error.type, error.status ? error.message : t("error.away"), error.body);
  console.error(error);
  return t("error.unknown");
}

/** @param {string} type @param {string} detail @param {{ rules?: string[] }} [body] */
export function problem(type, detail, { rules = [] } = {}) {
  const [first] = detail.split("\n");
  if (first?.includes("(taken)")) return t("error.taken");
  if (type === "stale-version") return t("error.stale-version"); // its detail is for programs
  if (type === "does-not-fit") { // nor is this one's: it names rules by their codes
    const known = rules.filter((each) => has(`rule.${each}`));
    return known.map((each) => t(`rule.${each}`)).join("; ") || t("error.does-not-fit");
  }
  const own = has(`error.${type}`) ? t(`error.${type}`) : "";
  return own && document.documentElement.lang !== "en" ? own : first || own || t("error.unknown");
}

/** What an empty list says. @param {any} world @param {string} none */
export const nothing = ({ loaded, error }, none) =>
  loaded || !error ? h("p", { class: "empty" }, t(loaded ? none : "loading")) : null;

/** @param {string} text */
export const trouble = (text) => h("p", { class: "trouble", role: "alert" }, text);

/**
 * Put these in place of what stands there; the keyboard stays where it was, and what was opened is open, by `data-at`.
 * Whoever was on what is gone is in the page.
 * @param {HTMLElement} root
 * @param {...any} children
 */
export function redraw(root, ...children) {
  afterPress(root, () => put(root, children));
}

/** @param {HTMLElement} root @param {any[]} children */
function put(root, children) {
  const active = document.activeElement instanceof HTMLElement && root.contains(document.activeElement);
  const held = active ? /** @type {HTMLElement} */ (document.activeElement).dataset.at : undefined;
  const opened = [
    .../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("details[open] > summary[data-at]")),
  ];
  fill(root, ...children);
  const at = (/** @type {string} */ name) => root.querySelector(`[data-at="${CSS.escape(name)}"]`);
  for (const each of opened) at(each.dataset.at || "")?.parentElement?.toggleAttribute("open", true);
  const still = held && /** @type {HTMLElement | null} */ (at(held));
  if (still) still.focus();
  else if (active) root.closest("main")?.focus({ preventScroll: true }); // not to what stands there now: Enter again would answer that
}

/**
 * What is on its way of an offer or dispatch: with Undo, as long as nothing of it was sent.
 * @param {import("./taps.js").Taps} taps
 * @param {string} about
 */
export function onTheirWay(taps, about) {
  return taps.of(about).map((tap) => {
    if (tap.refused) return refusedTap(taps, tap);
    const waits = tap.due > Date.now();
    const where = waits ? undoTime(tap) : navigator.onLine || tap.gone ? t("tap.sending") : t("tap.later");
    const undo = () => void taps.drop(tap.id);
    return h(
      "div",
      { class: "tap", role: "status" },
      h("span", {}, h("strong", {}, tapSays(tap)), " ", h("span", { class: "soft" }, where)),
      (waits || !navigator.onLine) && !tap.gone &&
        h("button", { onclick: undo, dataset: { at: `undo ${tap.id}` } }, t("undo")),
    );
  });
}

/** What was said by it. @param {import("./taps.js").Tap} tap */
function tapSays({ kind, value }) {
  if (kind === "status") return t(`status.${value}`);
  return kind === "message" ? String(value) : t(`said.${kind}`);
}

/** @param {import("./taps.js").Tap} tap */
function undoTime(tap) {
  const [before, after] = t("tap.undo", { time: "\n" }).split("\n");
  const left = h(
    "span",
    { "aria-hidden": "true", dataset: { until: String(tap.due), own: "1" } },
    countdown(tap.due - Date.now()),
  );
  return [before || "", left, after || ""];
}

const TREMBLE_MS = 700;
let touched = -TREMBLE_MS;

/** Of two taps in a row the first: by the second, something else is under the finger. @param {() => void} act */
export function steady(act) {
  return () => {
    if (performance.now() - touched < TREMBLE_MS) return;
    touched = performance.now();
    act();
  };
}

const ANSWERS = ["accept", "decline", "counter"];

/** What was not taken of work that is no longer here; of an offer that a colleague answered, too. @param {import("./app.js").Context} context */
export function orphans({ taps, world }) {
  const open = new Set(world.open.map((each) => each.id));
  const isHere = (/** @type {import("./taps.js").Tap} */ { about, kind }) =>
    open.has(about) || world.dispatches.has(about) && !ANSWERS.includes(kind);
  const lost = world.loaded ? taps.list.filter((each) => each.refused && !isHere(each)) : [];
  return lost.map((each) => refusedTap(taps, each, [each.label, tapSays(each)].filter(Boolean).join(", ")));
}

/** @param {import("./taps.js").Taps} taps @param {import("./taps.js").Tap} tap @param {string} [which] */
function refusedTap(taps, tap, which = "") {
  const says = h("span", {});
  const draw = () => {
    const what = problem(tap.type || "", tap.problem || "", tap);
    fill(says, which && h("strong", {}, which, " "), t("tap.refused", { what }));
  };
  draw();
  if (tap.rules?.length) void import("../panels/lost_words.js").then(draw, console.warn); // few: it is no part of the first load
  return h(
    "div",
    { class: "tap refused", role: "alert" },
    says,
    h("button", { onclick: () => void taps.drop(tap.id), dataset: { at: `away ${tap.id}` } }, t("tap.away")),
  );
}
