// Which rows of the board a group of the fairness page leads to. Run by tools/javascript.py.
import { isOf } from "../../dispatcher/console/assets/parts/group.js";

/** @param {number[]} from */
const row = (from, level = "wheelchair") => /** @type {any} */ ({ kind: "trip", class: level, from });

Deno.test("a row is of the group that its square of 2 km is counted in, and of no neighbour", () => {
  // The door -74.00274, 40.72475 and its square, as `coarse_position` has them: across an area's edge from one another.
  const square = [-73.99752, 40.725], own = "wheelchair@-73.95189,40.716", neighbour = "wheelchair@-74.04689,40.716";
  const found = [isOf(row(square), own), isOf(row(square), neighbour), isOf(row(square, "stretcher"), own)];
  if (String(found) !== "true,false,false") throw new Error(String(found));
  if (isOf(row([]), own)) throw new Error("a row without a place is of no group");
});
