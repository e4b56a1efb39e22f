/**
 * Today: what needs somebody, the most pressing first; beside it why, what would free it, and the act itself.
 * @module
 */

import { h, paced } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { about, Tasks } from "../core/tasks.js";
import { span, until } from "../core/time.js";
import { wants } from "../parts/acts/authorize.js";
import { Chips } from "../parts/chips.js";
import { showTrouble } from "../parts/dialog.js";
import { empty, figure, showFigures } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { listKeys } from "../parts/grid_columns.js";
import { Panel } from "../parts/panel.js";
import { dueMs, isLate, queue } from "../parts/queue.js";
import { stateMark, words } from "../parts/state.js";
import { codeSays, RISKS, sentence, why } from "../parts/words.js";

export const title = "Today";

const OWNERS = ["care_coordinator", "case_manager", "ops", "platform"];
const MOST_NAMED = 150; // ids in an address

/** @typedef {import("../core/store.js").Row} Row */
/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../parts/queue.js").Item} Item */

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  root.classList.add("full");
  const { store, clock, signal } = context;
  const figures = h("div", { class: "figures" });
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const panel = new Panel(context);
  const chips = new Chips("Why they need somebody", (on) => {
    context.setQuery({ risk: [...on].join(",") });
    draw(true);
  });
  chips.set((context.query.get("risk") || "").split(",").filter(Boolean));
  const whose = new Chips("Whose tasks", (on) => {
    context.setQuery({ owner: [...on].join(",") });
    draw(true);
  });
  whose.set((context.query.get("owner") || "").split(",").filter(Boolean));
  const table = grid({
    label: "What needs somebody, the most pressing first",
    columns: columns(context),
    key: (item) => item.key,
    open: (item) => {
      const id = item.row?.id || item.tasks[0].request_id;
      if (id) context.go("request", [id]);
      else if (item.tasks[0].webhook_id) context.go("health");
      else if (item.tasks[0].vendor_id) context.go("vendors", [item.tasks[0].vendor_id]);
      else if (item.tasks[0].kind === "canary_rolled_back") context.go("tuning");
    },
    moved: (item) => panel.show(item?.row, item?.tasks),
    tone: (item) =>
      isLate(item, clock.now()) || item.risk === "nobody_left" ? "bad" : item.risk === "on_hold" ? "" : "warn",
    empty: empty(
      "Nothing needs anybody now.",
      "What has no vendor, is about to expire, is late or out of sequence, and every task that is due, comes here by itself. All requests are on the ",
      h("a", { href: context.href("board") }, "board"),
      ".",
    ),
    file: `at risk ${context.market}`,
  });
  root.append(
    h(
      "div",
      { class: "row" },
      h("h1", {}, title),
      h("span", { class: "grow" }),
      h("button", { type: "button", onclick: () => table.exportCsv() }, "Export CSV"),
    ),
    trouble,
    figures,
    h("div", { class: "row filters" }, chips.node, whose.node),
    h("div", { class: "beside" }, table, panel.node),
  );

  const tasks = new Tasks(context, () => draw());
  const draw = (anew = false) => {
    trouble.hidden = true;
    if (store.trouble || tasks.trouble) showTrouble(trouble, store.trouble || tasks.trouble);
    const reads = [store, tasks].filter((each) => !each.loaded);
    // requests and their tasks at once: none moves another away that somebody is about to take
    if (reads.length === 2 || reads.some((each) => !each.trouble)) return;
    const items = queue(store.rows(), tasks.all, clock.now());
    const shown = items.filter((each) => chosen(chips, [each.risk]) && chosen(whose, ownersOf(each)));
    const still = !anew && table.isRead;
    drawFigures(figures, items, context);
    chips.show(counted(items), still);
    whose.show(
      OWNERS.map((value) => ({
        value,
        says: `with ${words(value)}`,
        count: items.filter((each) => ownersOf(each).includes(value)).length,
      })).filter((each) => each.count > 0),
      still,
    );
    table.update(shown, { anew });
    const now = panel.row && items.find((each) => each.row?.id === panel.row?.id);
    if (now) panel.show(now.row, now.tasks);
  };
  const soon = paced(() => !signal.aborted && draw());
  const stop = store.onChange(soon);
  const timer = setInterval(soon, 1_000);
  const unbind = bind([
    { key: "e", says: "Export CSV", act: () => table.exportCsv() },
    ...listKeys(false),
    { key: "r", says: "Show what came meanwhile", act: () => table.adopt() },
  ]);
  return () => {
    stop();
    unbind();
    clearInterval(timer);
  };
}

/** @param {Chips} chips @param {string[]} values */
const chosen = (chips, values) => !chips.on.size || values.some((each) => chips.on.has(each));

/** Whose its tasks are now. @param {Item} item @returns {string[]} */
const ownersOf = (item) => item.tasks.map((each) => each.owner);

/** @param {Item[]} items */
function counted(items) {
  return Object.entries(RISKS)
    .map(([value, says]) => ({ value, says, count: items.filter((each) => each.risk === value).length }))
    .filter((each) => each.count > 0);
}

/**
 * @param {Context} context
 * @returns {import("../parts/grid_columns.js").Column<Item>[]}
 */
function columns({ clock, zone }) {
  return [
    {
      name: "due",
      says: "Due",
      width: 128,
      value: (item) => item.due ? new Date(item.due).toISOString() : "",
      sort: (item) => item.due,
      show: (item) => dueSays(item, clock.now()),
      title: "Of a request at risk its own time limit, else its task's",
    },
    {
      name: "risk",
      says: "What",
      width: 208,
      least: 146,
      below: 1,
      value: (item) => item.risk === "task" ? `Task: ${words(item.tasks[0].kind)}` : RISKS[item.risk],
    },
    { name: "request", says: "Request", width: 168, least: 120, value: (item) => item.row?.id || about(item.tasks[0]) },
    {
      name: "why",
      says: "Why",
      width: 232,
      least: 200,
      grows: true,
      below: 2,
      value: (item) => reasons(item, clock.now()),
    },
    {
      name: "state",
      says: "State",
      width: 120,
      least: 110,
      value: (item) => item.row?.state || "",
      show: (item) => item.row ? stateMark(item.row.state) : "",
    },
    {
      name: "priority",
      says: "Priority",
      width: 72,
      least: 64,
      value: (item) => item.row?.priority || item.tasks[0]?.priority || "",
    },
    { name: "class", says: "Service", width: 112, least: 92, value: (item) => words(item.row?.class || "") },
    {
      name: "window",
      says: "Window",
      width: 136,
      least: 132,
      value: (item) => item.row ? new Date(item.row.earliest).toISOString() : "",
      sort: (item) => item.row?.earliest || 0,
      show: (item) => item.row ? `${zone.moment(item.row.earliest, clock.now())}–${zone.time(item.row.latest)}` : "",
    },
    { name: "vendor", says: "Vendor", width: 96, least: 84, value: (item) => item.row?.vendor || "" },
  ];
}

/**
 * @param {HTMLElement} place
 * @param {Item[]} items
 * @param {Context} context
 */
function drawFigures(place, items, context) {
  const now = context.clock.now(), today = context.zone.date(now);
  /** @type {Record<string, number>} */
  const count = {};
  for (const row of context.store.byId.values()) {
    if (!row.ended || context.zone.date(row.ended) === today) count[row.state] = (count[row.state] || 0) + 1;
  }
  const of = (/** @type {string} */ state) => count[state] || 0;
  const to = (/** @type {Record<string, string>} */ query) => context.href("board", [], query);
  const late = items.filter((each) => isLate(each, now));
  const waiting = of("received") + of("matching"), unmatched = of("unmatched");
  showFigures(
    place,
    figure({
      value: items.length,
      says: "need somebody",
      tone: items.length ? "warn" : "good",
      href: context.href("today"),
    }),
    figure({
      value: late.length,
      says: "past due",
      tone: late.length ? "bad" : "",
      href: to({ ids: late.slice(0, MOST_NAMED).map((each) => each.key).join(",") }),
    }),
    figure({ value: waiting, says: "without a vendor", href: to({ state: "received,matching" }) }),
    figure({ value: of("offered"), says: "offered", href: to({ state: "offered" }) }),
    figure({ value: of("accepted"), says: "accepted", href: to({ state: "accepted" }) }),
    figure({
      value: of("in_progress"),
      says: "in progress",
      href: to({ state: "in_progress" }),
    }),
    figure({ value: of("on_hold"), says: "on hold", href: to({ state: "on_hold" }) }),
    figure({
      value: context.store.rows().filter(wants).length,
      says: "wait for an authorization",
      href: context.href("care", ["authorizations"]),
    }),
    figure({
      value: unmatched,
      says: "unmatched today",
      tone: unmatched ? "bad" : "",
      href: to({ state: "unmatched", ended: "today" }),
    }),
    figure({
      value: of("completed"),
      says: "completed today",
      href: to({ state: "completed", ended: "today" }),
    }),
  );
}

/** "task 5 min ago" is the task's time, not the ride's. @param {Item} item @param {number} now */
const dueSays = (item, now) =>
  item.due ? `${item.row?.due && item.risk !== "task" ? "" : "task "}${until(item.due, now)}` : "";

/** Why it is here, and of its tasks who has them, and how late they are. @param {Item} item @param {number} now */
function reasons(item, now) {
  const own = item.row && item.risk !== "task" ? why(item.row) : "";
  const tasks = item.tasks.map((each) => {
    const named = item.risk === "task" && each === item.tasks[0] ? "" : `Task: ${words(each.kind)}`; // "What" says it
    const code = each.code && !each.kind.includes(each.code) ? sentence(codeSays(each.code)) : "";
    const late = named && dueMs(each) < now ? `${span(now - dueMs(each))} late` : "";
    const who = each.claimed_by ? `${each.claimed_by} has it` : `with ${words(each.owner)}`;
    return [[named, code].filter(Boolean).join(": "), late, who].filter(Boolean).join("; ");
  });
  return [own, ...tasks].filter(Boolean).join(" · ");
}
