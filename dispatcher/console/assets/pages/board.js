/**
 * The board: every request in one table, narrowed by chips and words; what is seen stands in the address.
 * @module
 */

import { fill, h, paced, settled } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { spoken } from "../core/spoken.js";
import { bulk } from "../parts/acts/many.js";
import { CHOOSERS } from "../parts/acts/shared.js";
import { Chips } from "../parts/chips.js";
import { showTrouble } from "../parts/dialog.js";
import { empty } from "../parts/figure.js";
import { groupSays, isOf } from "../parts/group.js";
import { grid } from "../parts/grid.js";
import { leadsTo } from "../parts/grid_keys.js";
import { listKeys } from "../parts/grid_columns.js";
import { pressingFirst } from "../parts/order.js";
import { Panel } from "../parts/panel.js";
import { words } from "../parts/state.js";
import { Views } from "../parts/views.js";
import { atRisk } from "../parts/words.js";
import { boardColumns } from "../parts/board_columns.js";

export const title = "Board";

/** @typedef {import("../core/store.js").Row} Row */
/** @typedef {import("../core/app.js").Context} Context */

const STATES = [
  "received",
  "matching",
  "offered",
  "accepted",
  "in_progress",
  "on_hold",
  "unmatched",
  "completed",
  "no_show",
  "failed",
  "cancelled",
];
/** Filters by the name that they have in the address. @type {{ name: string, says: string, of: (row: Row) => string }[]} */
const FILTERS = [
  { name: "state", says: "State", of: (row) => row.state },
  { name: "class", says: "Service", of: (row) => row.class },
  { name: "priority", says: "Priority", of: (row) => row.priority },
];

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  root.classList.add("full");
  const { store, clock, signal } = context;
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const search = h("input", {
    type: "search",
    placeholder: "id, vendor, episode, facility…  ( / )",
    "aria-label": "Find",
    value: context.query.get("q") || "",
    class: "find",
  });
  const count = h("span", { class: "soft", role: "status" });
  const many = h("div", { class: "row many", hidden: true });
  const panel = new Panel(context);
  const narrowed = () => {
    context.setQuery({
      q: search.value,
      risk: riskChips.on.has("risk") ? "1" : null,
      ...Object.fromEntries(FILTERS.map((each, at) => [each.name, [...chips[at].on].join(",")])),
    });
    draw(true);
  };
  const chips = FILTERS.map((each) => new Chips(each.says, narrowed));
  const riskChips = new Chips("Risk", narrowed);
  const endedToday = context.query.get("ended") === "today";
  const group = context.query.get("group") || "";
  const ids = new Set((context.query.get("ids") || "").split(",").filter(Boolean));
  const take = (/** @type {URLSearchParams} */ query) => {
    FILTERS.forEach((each, at) => chips[at].set((query.get(each.name) || "").split(",").filter(Boolean)));
    riskChips.set(query.get("risk") ? ["risk"] : []);
    search.value = query.get("q") || "";
  };
  take(context.query);
  const [sortName, sortWay] = (context.query.get("sort") || "").split(" ");
  /** @type {import("../parts/grid.js").Grid} */
  const table = grid({
    label: "Requests",
    columns: boardColumns(context),
    key: (row) => row.id,
    open: (row) => context.go("request", [row.id]),
    moved: (row) => panel.show(row),
    select: (keys) => drawMany(many, keys, context, table),
    tone: (row) =>
      atRisk(row, clock.now()) ? (row.due < clock.now() || row.risk === "nobody_left" ? "bad" : "warn") : "",
    sort: sortName ? { name: sortName, down: sortWay === "down" } : undefined,
    sorted: (sort) => context.setQuery({ sort: sort && `${sort.name}${sort.down ? " down" : ""}` }),
    empty: empty(
      "No request is like that.",
      "Take a chip or a word away; or submit requests: the API takes them at ",
      h("code", {}, `POST ${context.api.base}/requests`),
      ".",
    ),
    file: `board ${context.market}`,
  });
  const views = new Views(context, (query) => {
    take(query);
    const [name, way] = (query.get("sort") || "").split(" ");
    table.sort = name ? { name, down: way === "down" } : null;
    table.drawHead();
    narrowed();
  });
  const only = [
    group && groupSays(group),
    ids.size && `${ids.size} chosen elsewhere`,
    endedToday && "not ended before today",
  ].filter(Boolean)
    .map((says) =>
      h(
        "button",
        { type: "button", class: "chip", "aria-pressed": "true", onclick: () => context.go("board") },
        `${says} ×`,
      )
    );
  root.append(
    h(
      "div",
      { class: "row" },
      h("h1", {}, title),
      count,
      h("span", { class: "grow" }),
      views.node,
      h("button", { type: "button", onclick: () => table.exportCsv() }, "Export CSV"),
    ),
    trouble,
    h("div", { class: "row filters" }, search, only, riskChips.node, chips.map((each) => each.node)),
    h("div", { class: "beside" }, table, panel.node),
    many, // below: above, it would move the rows under the hand that chooses
  );

  const draw = (anew = false) => {
    const all = store.rows(), now = clock.now(), needle = search.value.trim().toLowerCase();
    const said = /^\d[\d ]+$/.test(needle) ? needle.replaceAll(" ", "") : "";
    const found = needle
      ? all.filter((row) =>
        `${row.id} ${row.vendor} ${row.episode} ${row.facility} ${row.standing_order}`.toLowerCase().includes(needle) ||
        said && spoken(row.id).replace(" ", "").startsWith(said)
      )
      : all;
    const day = context.zone.date(now);
    const named = ids.size ? found.filter((row) => ids.has(row.id)) : found;
    const grouped = group ? named.filter((row) => isOf(row, group)) : named;
    const within = endedToday ? grouped.filter((row) => !row.ended || context.zone.date(row.ended) === day) : grouped;
    const fits = (/** @type {Row} */ row, /** @type {number} */ but) =>
      FILTERS.every((each, at) => at === but || !chips[at].on.size || chips[at].on.has(each.of(row))) &&
      (but === -2 || !riskChips.on.size || atRisk(row, now));
    const shown = pressingFirst(within.filter((row) => fits(row, -1)), now);
    const still = !anew && table.isRead;
    FILTERS.forEach((each, at) => chips[at].show(counts(within.filter((row) => fits(row, at)), each), still));
    riskChips.show([{
      value: "risk",
      says: "At risk",
      count: within.filter((row) => fits(row, -2) && atRisk(row, now)).length,
      tone: "warn",
    }]);
    count.textContent = store.loaded
      ? `${shown.length.toLocaleString("en")} of ${all.length.toLocaleString("en")}`
      : "Reading…";
    if (store.loaded || store.trouble) table.update(shown, { anew });
    trouble.hidden = true;
    if (store.trouble) showTrouble(trouble, store.trouble);
    if (panel.row) panel.show(store.get(panel.row.id) || panel.row);
  };
  search.addEventListener("input", settled(narrowed, 80));
  leadsTo(search, table);
  const soon = paced(() => !signal.aborted && draw());
  const stop = store.onChange(soon);
  const timer = setInterval(soon, 2_000);
  const unbind = bind([
    { key: "/", says: "Find", act: () => search.select() },
    ...listKeys(true),
    { key: "r", says: "Show what came meanwhile", act: () => table.adopt() },
    {
      key: "a",
      says: "Choose all that are shown",
      act: () => table.choose(table.order.map((/** @type {Row} */ row) => row.id)),
    },
    { key: "e", says: "Export CSV", act: () => table.exportCsv() },
  ]);
  draw(true);
  return () => {
    stop();
    unbind();
    clearInterval(timer);
  };
}

/**
 * How many rows each value would show.
 * @param {Row[]} rows
 * @param {{ name: string, of: (row: Row) => string }} filter
 */
function counts(rows, filter) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const row of rows) found.set(filter.of(row), (found.get(filter.of(row)) || 0) + 1);
  const order = filter.name === "state" ? STATES : [...found.keys()].sort();
  return order.filter((value) => found.has(value) && value).map((value) => ({
    value,
    says: words(value),
    count: found.get(value),
  }));
}

/**
 * @param {HTMLElement} place
 * @param {Set<string>} keys
 * @param {Context} context
 * @param {import("../parts/grid.js").Grid} table
 */
function drawMany(place, keys, context, table) {
  place.hidden = keys.size === 0;
  const rows = () => [...keys].map((key) => context.store.get(key)).filter((row) => row !== undefined); // as they are by then
  const act = (/** @type {"cancel" | "hold" | "resume" | "withdraw"} */ what, /** @type {string} */ says) =>
    h("button", { type: "button", onclick: () => bulk(rows(), what, context) }, says);
  fill(
    place,
    h("strong", {}, `${keys.size} chosen`),
    act("hold", "Hold…"),
    act("resume", "Resume…"),
    context.may(...CHOOSERS) && act("withdraw", "Withdraw…"),
    act("cancel", "Cancel…"),
    h("button", { type: "button", class: "quiet", onclick: () => table.choose([]) }, "None"),
  );
}
