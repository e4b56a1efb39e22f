// What proves work, in words. Run by tools/javascript.py.
import { partSays, provable } from "../../dispatcher/console/assets/parts/proof.js";

/** @param {string} found @param {string} wanted */
function same(found, wanted) {
  if (found !== wanted) throw new Error(`${found}, and not ${wanted}`);
}

/** @type {any} */
const AT = { zone: { moment: () => "10:05" }, clock: { now: () => 0 } };

Deno.test("a part is told with who signed, where it was, what was left, and whether it was corrected", () => {
  const signature = { by: "R. Wren", relationship: "spouse" };
  const near = {
    report: { part: "dropoff", signature },
    at: "2026-03-02T10:05:00Z",
    by: "vendor:v1",
    apart_m: 0,
    counts: true,
  };
  same(partSays(near, AT), "dropoff at 10:05, by vendor:v1; signed by R. Wren (spouse); 0 m from the door");
  const items = [{ item: "Concentrator", hcpcs: "E1390", quantity: 2, serial: "SN-1", lot: "" }];
  const report = { part: "delivery", items, instruction_given: true, signature: { refused: "nobody_there" } };
  const far = { report, at: "2026-03-02T10:05:00Z", by: "ops", apart_m: 900, outside: true, counts: false };
  same(
    partSays(far, AT),
    "delivery at 10:05, by ops; not signed: nobody there; 900 m from the door, outside what the market allows; " +
      "2 × Concentrator (E1390), serial SN-1; its use was explained; corrected since",
  );
});

Deno.test("proof is the last dispatch's that a vendor has had", () => {
  same(provable({ attempts: [{ id: "r1.1", state: "completed" }, { id: "r1.2", state: "rejected" }] }), "r1.1");
  same(provable({}), "");
});
