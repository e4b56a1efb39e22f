// What a request costs, in words. Run by tools/javascript.py.
import { priceOf } from "../../dispatcher/console/assets/parts/price.js";

/** @param {string} found @param {string} wanted */
function same(found, wanted) {
  if (found !== wanted) throw new Error(`${found}, and not ${wanted}`);
}

const FARE = { kind: "base", quantity: 1, unit_cents: 4500, cents: 4500 };
const WAITED = { kind: "waiting", quantity: 1, unit_cents: 1000, cents: 0, note: "dispute_1" };

Deno.test("a price is told by its lines and what they add up to", () => {
  same(priceOf({ match: { price_lines: [FARE, WAITED] } }), "base $45.00 + waiting $0.00 (dispute 1) = $45.00");
  same(priceOf({ match: { price_lines: [FARE] } }), "base $45.00");
});

Deno.test("work that was taken back costs what its last attempt says, and nothing says nothing", () => {
  const owed = { kind: "turn_back", unit_cents: -2000, cents: -2000 };
  same(priceOf({ attempts: [{ id: "r1.1" }, { price_lines: [owed] }, { id: "r1.3" }] }), "turn back −$20.00");
  same(priceOf({ attempts: [{ id: "r1.1" }] }), "");
});
