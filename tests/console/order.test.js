// What stands first where nobody chose an order. Run by tools/javascript.py.
import { pressingFirst } from "../../dispatcher/console/assets/parts/order.js";
import { isLate, queue } from "../../dispatcher/console/assets/parts/queue.js";
import { words } from "../../dispatcher/console/assets/parts/state.js";
import { codeSays } from "../../dispatcher/console/assets/parts/words.js";

const HOUR = 3_600_000;

/** @param {string} id @param {Record<string, any>} more */
function row(id, more) {
  return /** @type {any} */ ({ id, risk: "", why: "", due: 0, ended: 0, earliest: 100 * HOUR, ...more });
}

Deno.test("what is at risk stands first by its due time, then what goes on, what ended last with the latest first", () => {
  const rows = [
    row("ended early", { ended: 1 * HOUR }),
    row("no hurry", { risk: "no_vendor", due: 90 * HOUR }),
    row("ended late", { ended: 2 * HOUR }),
    row("b late", { risk: "overdue", due: 3 * HOUR }),
    row("next", { risk: "report", due: 8 * HOUR }),
    row("a late", { risk: "overdue", due: 3 * HOUR }),
    row("soon", { risk: "no_vendor", due: 6 * HOUR }),
    row("by its window", {}),
  ];
  const found = pressingFirst(rows, 5 * HOUR).map((each) => each.id).join(", ");
  const wanted = "a late, b late, soon, next, no hurry, by its window, ended late, ended early";
  if (found !== wanted) throw new Error(`found ${found}`);
});

Deno.test("a code of a report, a rule and an unknown one are told in words", () => {
  const found = ["NO_CLIENT", "needs", "SOMETHING_ELSE", "auto_insurance:2026-08-17", "plan.service_area"]
    .map(codeSays).join("; ");
  const wanted =
    "the patient was not there; nobody meets the passenger's needs; something else; auto insurance until 2026-08-17; planning it fails in service area";
  if (found !== wanted) throw new Error(`found ${found}`);
});

Deno.test("several codes are a list, levels of service are written as the field does, a rule by its words", () => {
  const found = [codeSays("dropoff,dropoff_signature"), ...["cct", "bariatric_wheelchair", "hcpcs"].map(words)];
  const wanted =
    "proof of the drop-off, a signature at the drop-off; CCT; bariatric wheelchair; equipment (HCPCS codes)";
  if (found.join("; ") !== wanted) throw new Error(`found ${found.join("; ")}`);
});

Deno.test("what is at risk is due by its own time limit, whatever its task is; what is not, by its task's", () => {
  const task = (/** @type {string} */ id, /** @type {number} */ hours) => ({
    id: `t${id}`,
    request_id: id,
    due_at: new Date(hours * HOUR).toISOString(),
  });
  const rows = [
    row("task first", { risk: "nobody_left", due: 8 * HOUR }),
    row("task later", { risk: "nobody_left", due: 6 * HOUR }),
    row("not due", { risk: "nobody_left" }),
  ];
  const found = queue(rows, [task("task first", 4), task("task later", 7), task("no risk", 9)], 5 * HOUR);
  const late = found.filter((each) => isLate(each, 5 * HOUR)).map((each) => each.key).join(", ");
  if (late !== "task first") throw new Error(`late: ${late}`);
  const told = found.map((each) => `${each.key} ${each.due / HOUR}`).join(", ");
  if (told !== "not due 0, task later 6, task first 8, no risk 9") throw new Error(`found ${told}`);
});
