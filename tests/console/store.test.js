/** The mirror of the market: nothing that changes while it is read is lost. @module */

import { Store } from "../../dispatcher/console/assets/core/store.js";

// deno-lint-ignore no-explicit-any
const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const COLUMNS = ["id", "version", "state"];

/** @param {unknown} found @param {unknown} expected */
function same(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} is not ${b}`);
}

/** A store whose boards are given by hand: the first `answer()` gives the first that was asked for. */
function asked() {
  any(globalThis).requestAnimationFrame ??= (/** @type {() => void} */ draw) => setTimeout(draw);
  /** @type {((rows: any[][]) => void)[]} */
  const waiting = [];
  /** @type {(change: any) => void} */
  let hear = () => {};
  const api = {
    get: () => new Promise((done) => waiting.push((rows) => done({ columns: COLUMNS, rows, gone: [], now: 0 }))),
  };
  const live = { onChange: (/** @type {any} */ listener) => (hear = listener, () => {}) };
  const store = new Store(any(api), any(live), any({ hear: () => {} }));
  const answer = async (/** @type {any[][]} */ rows) => {
    waiting.shift()?.(rows);
    await new Promise((done) => setTimeout(done));
  };
  const states = () => store.rows().map((row) => `${row.id} ${row.state}`);
  const told = (/** @type {any[][]} */ rows, /** @type {string[]} */ gone = []) =>
    hear({ rows: { columns: COLUMNS, rows, gone } });
  return { hear: (/** @type {any} */ change) => hear(change), told, answer, states, waiting };
}

Deno.test("a change that comes while all is read is not undone by what was read before it", async () => {
  const { hear, told, answer, states } = asked();
  hear({ again: true });
  told([["r1", 2, "accepted"], ["r3", 1, "received"]], ["r2"]);
  await answer([["r1", 1, "offered"], ["r2", 1, "offered"]]);
  same(states(), ["r1 accepted", "r3 received"]);
});

Deno.test("what was read after a change is not undone by it", async () => {
  const { hear, told, answer, states } = asked();
  hear({ again: true });
  told([["r1", 2, "accepted"]]);
  await answer([["r1", 3, "in_progress"]]);
  same(states(), ["r1 in_progress"]);
});

Deno.test("what is to be read again while it is read is read once more", async () => {
  const { hear, answer, states, waiting } = asked();
  hear({ again: true });
  hear({ again: true });
  hear({ again: true });
  await answer([["r1", 1, "offered"]]);
  await answer([["r1", 2, "accepted"]]);
  same([states(), waiting.length], [["r1 accepted"], 0]);
});

Deno.test("what failed to be read leaves what is there", async () => {
  const { hear, told, answer, states } = asked();
  hear({ again: true });
  await answer([["r1", 1, "offered"]]);
  told([["r1", 2, "accepted"]]);
  same(states(), ["r1 accepted"]);
});
