/**
 * A day's units, as stretches of the day: "06:00 to 18:00: 3".
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { field } from "./field.js";
import { Hint, sheet } from "./sheet.js";

/** @typedef {{ from: string, to: string, units: number }} Run */

const DAY_MINUTES = 1440,
  STEP_MINUTES = 30,
  FINEST_MINUTES = 5,
  BUCKETS = DAY_MINUTES / STEP_MINUTES,
  MOST_UNITS = 10_000;

/** 06:30 @param {number} minute */
const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** Minutes after midnight. @param {string} time */
const minutes = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** Stretches of like numbers. @param {number[]} units one a bucket @returns {Run[]} */
export function runs(units) {
  const each = DAY_MINUTES / units.length, found = [];
  for (let start = 0, end = 1; start < units.length; start = end++) {
    while (end < units.length && units[end] === units[start]) end++;
    found.push({ from: clock(start * each), to: clock(end * each), units: units[start] || 0 });
  }
  return found;
}

/** What is posted of these stretches; where none is, nothing. @param {Run[]} given @returns {number[]} */
export function unitsOf(given) {
  const ends = given.flatMap((each) => [minutes(each.from), minutes(each.to)]);
  const step = ends.every((each) => each % STEP_MINUTES === 0) ? STEP_MINUTES : FINEST_MINUTES;
  const units = new Array(DAY_MINUTES / step).fill(0);
  for (const { from, to, units: count } of given) units.fill(count, minutes(from) / step, minutes(to) / step);
  return units.every((each) => each === units[0]) ? [units[0]] : units;
}

/**
 * @param {string} called the day
 * @param {any} posted what stands, or null
 * @param {import("../core/app.js").Context} context
 * @param {(posted: any) => Promise<void>} save
 * @param {() => Promise<void>} again
 */
export async function edit(called, posted, { api, session }, save, again) {
  const known = posted || await fresh(api, session.vendor_id);
  const pools = known.pools.map(poolFields);
  await sheet({
    title: called,
    body: pools.map((/** @type {any} */ each) => each.element),
    act: t("save"),
    again,
    run: () =>
      save({
        kind: known.kind,
        pools: known.pools.map((/** @type {any} */ each, /** @type {number} */ at) => ({
          ...each,
          units: pools[at].units(),
        })),
      }),
  });
}

/** A first pool: all that the vendor serves. @param {import("../../core/api.js").Api} api @param {string} vendor */
async function fresh(api, vendor) {
  const { levels_of_service: levels = [], hcpcs = [] } = await api.get(`/vendors/${vendor}`);
  const pools = [
    ...(levels.length ? [{ id: "vehicles", serves: levels, units: [1] }] : []),
    ...(hcpcs.length ? [{ id: "deliveries", serves: ["equipment"], units: [1] }] : []),
  ];
  return { kind: "pools", pools };
}

/** @param {any} pool */
function poolFields(pool) {
  const list = h("div", { class: "choices" });
  let given = runs(pool.units).filter((each, _, all) => each.units || all.length === 1);
  const draw = () => fill(list, given.map((each) => row(each, () => change(given.filter((other) => other !== each)))));
  const change = (/** @type {Run[]} */ to) => {
    given = to;
    draw();
  };
  const add = () => change([...given, { from: "08:00", to: "18:00", units: 1 }]);
  draw();
  const element = h(
    "fieldset",
    {},
    h("legend", {}, pool.id),
    list,
    h("button", { type: "button", onclick: add }, t("capacity.add")),
  );
  return { element, units: () => unitsOf(given.map(checked)) };
}

/** @param {Run} run @param {() => void} remove */
function row(run, remove) {
  const times = Array.from({ length: BUCKETS + 1 }, (_, at) => clock(at * STEP_MINUTES));
  const choice = (/** @type {"from" | "to"} */ end) => {
    const options = times.includes(run[end]) ? times : [...times, run[end]].sort();
    const made = h(
      "select",
      { onchange: () => run[end] = made.value },
      options.map((each) => h("option", { value: each }, each)),
    );
    made.value = run[end];
    return field(t(`capacity.${end}`), made);
  };
  const units = h("input", {
    type: "number",
    min: 0,
    max: MOST_UNITS,
    value: run.units,
    required: true,
    onchange: () => run.units = Number(units.value),
  });
  return h(
    "div",
    { class: "run" },
    choice("from"),
    choice("to"),
    field(t("capacity.units"), units),
    h("button", { type: "button", onclick: remove, "aria-label": t("capacity.remove") }, "×"),
  );
}

/** @param {Run} run */
function checked(run) {
  if (minutes(run.to) <= minutes(run.from)) throw new Hint(t("capacity.odd", { from: run.from, to: run.to }));
  return run;
}
