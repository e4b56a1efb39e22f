// A day as it stood, and its vendors' cells. Run by `deno test` (tests/console/test_javascript.py).
import { booked, PastDay } from "../../dispatcher/console/assets/core/past.js";
import { fitted } from "../../dispatcher/console/assets/parts/gantt/names.js";
import { dayOfWork } from "../../dispatcher/console/assets/parts/gantt/day_of_work.js";
import { addRuns, Gantt, paint, paintOf } from "../../dispatcher/console/assets/parts/gantt/cells.js";

/** @param {unknown} found @param {unknown} wanted */
function equal(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`found ${one}, wanted ${other}`);
}

const START = Date.parse("2026-03-03T05:00:00Z"), HOUR = 3_600_000;
/** @type {any} */
const PAGE = {
  day: "2026-03-03",
  tz: "America/New_York",
  start: "2026-03-03T05:00:00Z",
  end: "2026-03-04T05:00:00Z",
  read_at: "2026-03-03T17:00:00Z",
  states: ["received", "matching", "offered", "accepted", "completed"],
  classes: ["wheelchair", "equipment"],
  priorities: ["routine", "urgent"],
  vendors: ["v1", "v2"],
  ids: ["r1", "e1"],
  versions: [6, 1],
  is_trip: [true, false],
  level: [0, 1],
  priority: [1, 0],
  earliest: [600, 700],
  latest: [630, 800],
  pickup: [[-73.9, 40.7], null],
  dropoff: [[-73.8, 40.8], null],
  risk: ["late", ""],
  steps: [[[-3600, 0, -1], [3600, 2, 0], [3660, 1, -1], [7200, 2, 1], [7260, 3, 1], [39600, 4, 1]], [[36000, 0, -1]]],
  asked: [[[0, 3600, 3660, 600, 660], [1, 7200, null, 605, 665]], []],
  cursor: "",
};
/** @type {any} */
const CAPACITY = {
  day: "2026-03-03",
  start: PAGE.start,
  end: PAGE.end,
  buckets: 288,
  vendor: ["v1", "v1", "v2"],
  name: ["One", "One", "Two"],
  takes_work: [true, true, false],
  pool: ["a", "b", "a"],
  serves: [["wheelchair"], ["equipment"], ["wheelchair", "ambulatory"]],
  posted: [[2, 288], [1, 288], [0, 96, 1, 192]],
  booked: [[0, 288], [1, 288], [0, 121, 1, 12, 0, 155]],
  daily_cap: [10, 10, 5],
  daily_booked: [0, 1, 1],
  left_off: 0,
};
const PAINTS = { none: 1, steps: [10, 11, 12, 13], over: 99, paused: 5 };

Deno.test("a day stands at any moment as it stood then, with the vendor of that time", () => {
  const day = new PastDay([PAGE]);
  const at = (/** @type {number} */ seconds) =>
    day.rows(START + seconds * 1000).map((each) => [each.id, each.state, each.vendor]);
  equal(at(-7200), []);
  equal(at(0), [["r1", "received", ""]]);
  equal(at(3600), [["r1", "offered", "v1"]]);
  equal(at(3659), [["r1", "offered", "v1"]]);
  equal(at(3660), [["r1", "matching", ""]]);
  equal(at(7200), [["r1", "offered", "v2"]]);
  equal(at(40_000), [["r1", "completed", "v2"], ["e1", "received", ""]]);
});

Deno.test("a row of the past has what a row of the board has, and no risk once it has ended", () => {
  const day = new PastDay([PAGE]);
  const [then] = day.rows(START + 7200_000), [ended] = day.rows(START + 40_000_000);
  equal([then.class, then.priority, then.kind, then.from, then.start - START], ["wheelchair", "urgent", "trip", [
    -73.9,
    40.7,
  ], 605 * 60_000]);
  equal([then.risk, then.why, ended.risk], ["sequence", "late", ""]);
});

Deno.test("there is nothing to see beyond now, and a day's traffic is counted by parts", () => {
  const day = new PastDay([PAGE]);
  equal(day.last, Date.parse("2026-03-03T17:00:00Z"));
  equal([...day.traffic(24)].map((count, hour) => count ? [hour, count] : null).filter(Boolean), [[1, 2], [2, 2], [
    10,
    1,
  ], [11, 1]]);
  equal([day.next(START) - START, day.before(START) - START], [HOUR, -HOUR]);
  equal(day.next(START + 24 * HOUR), Infinity);
});

Deno.test("pages of one day are one day, each with its own names", () => {
  const more = { ...PAGE, ids: ["r9"], vendors: ["v9", "v1"], steps: [[[0, 2, 0]]], asked: [[[0, 0, null, 1, 2]]] };
  const day = new PastDay([{ ...PAGE, cursor: "1.x" }, more]);
  equal(day.rows(START).map((each) => each.vendor), ["", "v9"]);
  equal([day.cut, new PastDay([{ ...PAGE, cursor: "1.x" }]).cut], [false, true]);
});

Deno.test("work is booked with a vendor while it has it, and stays when it is done", () => {
  const day = new PastDay([PAGE]);
  const at = (/** @type {number} */ seconds) =>
    booked(day, START + seconds * 1000).map((each) => [each.id, each.vendor]);
  equal(at(3600), [["r1", "v1"]]);
  equal(at(3700), []);
  equal(at(86_000), [["r1", "v2"]]);
});

Deno.test("runs are spelled out, and never beyond the day", () => {
  const cells = new Uint16Array(5);
  addRuns([1, 2, 7, 9], cells);
  equal([...cells], [1, 1, 7, 7, 7]);
  addRuns([1, 5], cells);
  equal([...cells], [2, 2, 8, 8, 8]);
});

Deno.test("a level has the vendors that serve it; pools of one vendor are one row", () => {
  const all = new Gantt(CAPACITY, "", []),
    chairs = new Gantt(CAPACITY, "wheelchair", []),
    none = new Gantt(CAPACITY, "als", []);
  equal(all.rows.map((row) => [row.vendor, row.posted[0], row.booked[0], row.cap]), [["v1", 3, 1, 20], [
    "v2",
    0,
    0,
    5,
  ]]);
  equal(chairs.rows.map((row) => [row.vendor, row.posted[0]]), [["v1", 2], ["v2", 0]]);
  equal(none.rows, []);
  const { posted, booked: taken, share } = all.rows[1].figures;
  equal([posted, taken, share], [16, 1, 1 / 16]);
});

Deno.test("a moment of the past counts the work that was booked then, not the ledger", () => {
  const work = {
    id: "r1",
    class: "wheelchair",
    vendor: "v2",
    start: START + 605 * 60_000,
    end: START + 665 * 60_000,
    state: "accepted",
    risk: "late",
  };
  const past = new Gantt(CAPACITY, "wheelchair", [work], true), row = past.rows[1];
  equal([row.booked[120], row.booked[121], row.booked[132], row.booked[133]], [0, 1, 1, 0]);
  equal(past.behind(row, 125).map((each) => each.id), ["r1"]);
  equal(past.behind(row, 90), []);
  equal([row.figures.risks, past.time(121) - START], [1, 605 * 60_000]);
});

Deno.test("work of a night stays within the day's cells", () => {
  const work = {
    id: "r1",
    class: "wheelchair",
    vendor: "v1",
    start: START - HOUR,
    end: START + HOUR,
    state: "accepted",
    risk: "",
  };
  const late = { ...work, start: START + 23 * HOUR, end: START + 30 * HOUR };
  const gantt = new Gantt(CAPACITY, "", [work, late], true);
  equal([gantt.span(work), gantt.span(late)], [[0, 12], [276, 288]]);
});

Deno.test("a cell tells nothing posted, its share, full and over apart", () => {
  equal(
    [[0, 0], [4, 0], [4, 2], [4, 3], [4, 4], [4, 5], [0, 1]].map(([posted, taken]) => paintOf(posted, taken, PAINTS)),
    [1, 10, 11, 12, 13, 99, 99],
  );
});

Deno.test("cells are painted row by row with a gap between, and none beyond the buffer", () => {
  const { rows } = new Gantt(CAPACITY, "", []), pixels = new Uint32Array(288 * 6);
  paint(pixels, 288, [...rows, ...rows], { height: 3, gap: 1, paints: PAINTS });
  equal([pixels[0], pixels[288], pixels[2 * 288], pixels[3 * 288 + 95], pixels[3 * 288 + 96], pixels[4 * 288 + 121]], [
    11,
    11,
    0,
    1,
    10,
    13,
  ]);
});

Deno.test("the day of work is that of the nearest, before or after, that a vendor has or is asked for", () => {
  const zone = { date: (/** @type {number} */ ms) => `day ${Math.floor(ms / 24)}` };
  const row = (/** @type {number} */ start, vendor = "v1") => ({ vendor, start });
  equal(dayOfWork([], 50, zone), "");
  equal(dayOfWork([row(0), row(48, "")], 50, zone), "");
  equal(dayOfWork([row(1), row(46), row(120)], 50, zone), "day 1");
  equal(dayOfWork([row(1), row(80)], 50, zone), "day 3");
});

Deno.test("of names that have no room the middle gives way, so that they differ still", () => {
  const short = (/** @type {string} */ name) => fitted(name, 8, (text) => text.length);
  equal(["vans-1", "equipment-1", "equipment-2"].map(short), ["vans-1", "equ…nt-1", "equ…nt-2"]);
});
