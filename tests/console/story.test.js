// A request's history in sentences. Run by tools/javascript.py.
import { reason, story, whoOf } from "../../dispatcher/console/assets/core/story.js";

/** @param {unknown} found @param {unknown} wanted */
function equal(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`found ${one}, wanted ${other}`);
}

const at = (/** @type {number} */ minute) => `2026-03-02T15:${String(minute).padStart(2, "0")}:00Z`;
const VIEW = {
  id: "r1",
  received_at: at(0),
  history: [
    { state: "received", at: at(0), by: "platform" },
    { state: "offered", at: at(1), by: "ops", subject: "ana", code: "by_hand" },
    { state: "matching", at: at(2), by: "vendor:v1", subject: "v1", code: "NO_VEHICLES_AVAILABLE" },
    { state: "offered", at: at(3), by: "matcher" },
    { state: "accepted", at: at(4), by: "vendor:v2", subject: "v2" },
  ],
  attempts: [
    { id: "r1.1", vendor_id: "v1", state: "rejected", at: at(2), code: "NO_VEHICLES_AVAILABLE" },
    { id: "r1.2", vendor_id: "v2", state: "accepted", at: at(3), reference: "T-9" },
  ],
};

Deno.test("each step says what happened, with whom, who did it and why", () => {
  equal(story(VIEW).map(({ says, who, why }) => [says, who, why]), [
    ["Came in", "platform", ""],
    ["Offered to v1", "ana (ops)", "chosen by hand"],
    ["A vendor is sought again", "vendor v1", "the vendor had no vehicle"],
    ["Offered to v2", "matcher", ""],
    ["Accepted by v2, its number T-9", "vendor v2", ""],
  ]);
});

Deno.test("an offer that gave way to another at the same moment is not taken for it", () => {
  const moved = story({
    ...VIEW,
    history: [...VIEW.history.slice(0, 2), { state: "offered", at: at(3), by: "matcher", code: "withdrawn" }],
    attempts: [
      { id: "r1.1", vendor_id: "v1", state: "cancelled", at: at(3), code: "withdrawn" },
      { id: "r1.2", vendor_id: "v2", state: "requested", at: at(3) },
    ],
  });
  equal(moved.slice(1).map(({ says }) => says), ["Offered to v1", "Offered to v2"]);
});

Deno.test("a rule that removed the last vendor is told in words", () => {
  const history = [{ state: "received", at: at(0) }, { state: "matching", at: at(1), by: "matcher", code: "needs" }];
  const told = story({ ...VIEW, received_at: at(0), history, attempts: [] });
  equal(told.map(({ says, why }) => [says, why])[1], ["No vendor found yet", "nobody meets the passenger's needs"]);
  const amendments = [{ number: 1, at: at(2), by: "platform", fields: ["needs"], outcome: "agreed" }];
  equal(story({ ...VIEW, amendments }).map(({ says }) => says)[3], "Amended: needs"); // a field is no rule
});

Deno.test("a counter-offer is no new offer, and its refusal none", () => {
  const history = ["", "countered", "counter_refused"].map((code, nth) => ({
    state: "offered",
    at: at(nth),
    by: "x",
    code,
  }));
  const attempts = [{ id: "r1.1", vendor_id: "v1", state: "requested", at: at(0) }];
  const told = story({
    ...VIEW,
    received_at: at(0),
    history: [{ state: "received", at: at(0) }, ...history],
    attempts,
  });
  equal(told.slice(1).map(({ says, why }) => [says, why]), [
    ["Offered to v1", ""],
    ["Counter-offer of v1", ""],
    ["Refused: the counter-offer of v1", ""],
  ]);
});

Deno.test("a story of which the beginning is gone says so", () => {
  const [first, second] = story({ ...VIEW, history: VIEW.history.slice(2) });
  equal([first.says, first.at, second.says], [
    "Came in; the oldest steps are not kept",
    Date.parse(at(0)),
    "A vendor is sought again",
  ]);
});

Deno.test("tasks with their comments, and amendments, stand among the steps by time", () => {
  const tasks = [{
    kind: "unmatched_soon",
    owner: "care_coordinator",
    opened_at: at(2),
    comments: [{ at: at(3), by: "cem", text: "called them" }],
    ended_at: at(5),
    claimed_by: "cem",
    outcome: "done",
  }];
  const amendments = [{
    number: 1,
    at: at(1),
    by: "platform",
    fields: ["pickup_window"],
    outcome: "agreed",
    settled_at: at(6),
  }];
  const told = story({ ...VIEW, amendments }, tasks);
  equal(told.map((each) => each.at), told.map((each) => each.at).toSorted());
  const says = told.map((each) => each.says);
  for (
    const each of [
      "Task for care coordinator: unmatched soon",
      "“called them”",
      "Task done: unmatched soon",
      "Amended: pickup window",
      "Amendment agreed",
    ]
  ) {
    if (!says.includes(each)) throw new Error(`${each} is not told: ${says}`);
  }
});

Deno.test("an unknown code is shown as words, and a role without a name as itself", () => {
  equal([reason("SOME_NEW_CODE"), reason(), whoOf({ by: "case_manager" }), whoOf({})], [
    "some new code",
    "",
    "case manager",
    "",
  ]);
  equal(
    story({
      ...VIEW,
      history: [{ state: "later_state", at: at(0), by: "x" }, { state: "later_state", at: at(9), by: "x" }],
    })[1].says,
    "later_state",
  );
});

Deno.test("of a broadcast no vendor is named before one has it", () => {
  const asked = { mode: "broadcast", at: at(9), state: "cancelled" };
  const attempts = [{ ...asked, id: "r.1", vendor_id: "v1" }, { ...asked, id: "r.2", vendor_id: "v2" }];
  const history = [
    { state: "received", at: at(0), by: "platform" },
    { state: "offered", at: at(1), by: "matcher" },
    { state: "offered", at: at(2), by: "vendor:v2", code: "willing" },
    { state: "offered", at: at(3), by: "vendor:v1", code: "OTHER" },
  ];
  equal(story({ ...VIEW, attempts, history }).slice(1).map((each) => each.says), [
    "Several vendors asked at once",
    "A vendor would take it",
    "Others are still asked",
  ]);
});
