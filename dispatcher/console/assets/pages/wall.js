/**
 * The wall: what the day looks like from across the room, for whoever walks by; so without an id.
 * @module
 */

import { fill, h, paced } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { STATUS } from "../core/live.js";
import { Tasks } from "../core/tasks.js";
import { until } from "../core/time.js";
import { stateMark, words } from "../parts/state.js";
import { RISKS } from "../parts/words.js";
import { queue } from "../parts/queue.js";

export const title = "Wall";

/** @typedef {import("../core/store.js").Row} Row */

const STATES = [
  "received",
  "matching",
  "offered",
  "accepted",
  "in_progress",
  "on_hold",
  "completed",
  "unmatched",
  "no_show",
  "failed",
];
const SHOWN = { wide: 16, narrow: 8 }; // lines that a wall has room for, beside the numbers or below them

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  const { store, clock, zone, signal } = context;
  document.documentElement.dataset.wall = "on";
  const time = h("p", { class: "wall-time" });
  const risk = h("div", { class: "wall-risk" });
  const states = h("div", { class: "wall-states" });
  const next = h("div", { class: "wall-next" });
  root.append(
    h("h1", { class: "unseen" }, title),
    time,
    h("div", { class: "wall-day" }, risk, states),
    next,
    h("a", { class: "wall-leave", href: context.href("today") }, "Leave the wall (Escape)"),
  );
  const beside = matchMedia("(min-width: 1000px)"); // as its style sheet has it
  const tasks = new Tasks(context, () => draw());
  const draw = () => {
    const now = clock.now(), rows = store.rows(), today = zone.date(now);
    fill(
      time,
      h("strong", {}, zone.time(now)),
      ` ${context.market} · ${zone.day(now)} · ${zone.name} (${zone.abbreviation(now)})`,
      context.live.status !== "live" &&
        h("span", { class: "wall-stale" }, STATUS[context.live.status]),
    );
    const shown = beside.matches ? SHOWN.wide : SHOWN.narrow;
    const pressing = queue(rows, tasks.all, now); // as many as Today says
    const isKnown = store.loaded && tasks.loaded, trouble = !isKnown && (store.trouble || tasks.trouble);
    fill(
      risk,
      !isKnown
        ? h("span", { class: "wall-number soft" }, "…") // not known is not "nobody"
        : h("span", { class: `wall-number ${pressing.length ? "bad" : "good"}` }, pressing.length),
      h("span", {}, pressing.length === 1 ? "needs somebody" : "need somebody"),
    );
    fill(
      states,
      STATES.map((state) => ({
        state,
        count: rows.filter((row) => row.state === state && (!row.ended || zone.date(row.ended) === today)).length,
      })).filter((each) => each.count).map(({ state, count }) => tile(state, count)),
    );
    fill(
      next,
      trouble && h("p", { class: "trouble" }, trouble.split("\n")[0] || ""),
      pressing.slice(0, shown).map(({ due, risk, row, tasks }) =>
        h(
          "p",
          {},
          h("strong", { class: due && due < now ? "late" : "" }, due ? until(due, now) : ""),
          ` ${risk === "task" ? `Task: ${words(tasks[0].kind)}` : RISKS[risk]}`,
          row && h(
            "span",
            { class: "soft" },
            ` ${words(row.class)}, ${zone.moment(row.earliest, now)}`,
          ),
        )
      ),
      pressing.length > shown && h("p", { class: "soft" }, `and ${pressing.length - shown} more`),
    );
  };
  const soon = paced(() => !signal.aborted && draw());
  const stop = store.onChange(soon);
  const timer = setInterval(soon, 1_000);
  const unbind = bind([{ key: "Escape", says: "Leave the wall", act: () => context.go("today") }]);
  draw();
  return () => {
    delete document.documentElement.dataset.wall;
    stop();
    unbind();
    clearInterval(timer);
  };
}

/** @param {string} state @param {number} count */
function tile(state, count) {
  return h("div", { class: "wall-tile" }, h("span", { class: "wall-number" }, count), stateMark(state));
}
