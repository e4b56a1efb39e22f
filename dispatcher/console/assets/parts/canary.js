/**
 * A canary: how many days it needs is said before it begins; what its guardrails see; how it ended, and why.
 * @module
 */

import { h } from "../core/dom.js";
import { choice, dialog, field } from "./dialog.js";
import { figure } from "./figure.js";
import { diffTable } from "./parameter_words.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, dollars, percent, reading, section, words } from "./view.js";

/** @type {Record<string, string>} */
const TONES = { running: "accent", rolled_back: "bad", finished: "good", stopped: "" };

/** @param {string} what @param {number | null} value */
function shown(what, value) {
  if (value === null) return "–";
  return what === "cost" ? dollars(value) : `${(value * 100).toFixed(1)} %`;
}

/** @param {any} row of a guardrail; before both of a pair are over it says nothing */
function stands(row) {
  if (!row.pairs) return "";
  return row.crossed ? "crossed" : "holds";
}

/** The canary of the market. */
export class Canary {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {() => Record<string, any> | null} values what is drafted
   */
  constructor(context, values) {
    this.context = context;
    this.values = values;
    this.node = h("div", { class: "page-part" });
    this.etag = "";
    this.version = 0;
  }

  /** @returns {Promise<void>} */
  read() {
    const { api, signal } = this.context;
    return reading(this.node, signal, () => api.call("GET", "/tuning/canary", { signal }), (found) => {
      this.etag = found.etag;
      this.version = found.data.version;
      return this.draw(found.data);
    });
  }

  /** @param {any} view */
  draw(view) {
    const { zone, clock } = this.context;
    const moment = (/** @type {string | null} */ at) => at ? zone.moment(Date.parse(at), clock.now()) : "–";
    if (!view.state) {
      return section(
        "Canary",
        button("Plan one of what is drafted …", () => this.plan(), { title: "c" }),
        h(
          "p",
          { class: "soft" },
          "No canary. It lets a candidate decide in some hours of the days to come, compares them with the others, and rolls back by itself if it harms. How many days it needs is said before it begins.",
        ),
      );
    }
    const running = view.state === "running";
    return section(
      "Canary",
      button(running ? "Stop it …" : "Put it away …", () => this.end(running), { class: running ? "grave" : "quiet" }),
      h(
        "p",
        {},
        h("span", { class: `tag ${TONES[view.state] || ""}` }, words(view.state)),
        ` by ${view.by}: “${view.reason}”`,
      ),
      view.why && h("p", { class: view.state === "rolled_back" ? "trouble" : "soft" }, view.why),
      h(
        "div",
        { class: "figures" },
        figure({ value: `${view.days_over} of ${view.days}`, says: "days are over" }),
        running &&
          figure({
            value: view.decides_now ? "the candidate" : "what stood",
            says: `decides now${view.next_change_at ? `, until ${moment(view.next_change_at)}` : ""}`,
            tone: view.decides_now ? "warn" : "",
          }),
        figure({ value: moment(view.begins_at), says: "began, or begins" }),
        figure({ value: moment(view.ended_at || view.ends_at), says: view.ended_at ? "ended" : "ends" }),
        figure({
          value: view.mode === "whole" ? "every hour" : `${view.block_hours} h blocks`,
          says: view.mode === "whole"
            ? "compared with the weeks before"
            : `drawn by lot, pairs ${view.pair_days} days apart`,
        }),
      ),
      diffTable(view.changes, "Changes of the canary"),
      this.found(view),
    );
  }

  /** @param {any} view */
  found(view) {
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "What the guardrails see",
      file: "canary",
      rows: view.found,
      empty: "Nothing to compare yet: both of a pair of blocks have to be over.",
      tone: (row) => row.crossed ? "bad" : "",
      columns: [
        { name: "what", says: "Guardrail", value: (row) => words(row.what) },
        {
          name: "candidate",
          says: "Candidate",
          value: (row) => row.candidate ?? "",
          show: (row) => shown(row.what, row.candidate),
          end: true,
        },
        {
          name: "other",
          says: "The others",
          value: (row) => row.other ?? "",
          show: (row) => shown(row.what, row.other),
          end: true,
        },
        {
          name: "difference",
          says: "Difference",
          value: (row) => row.difference ?? "",
          show: (row) => shown(row.what, row.difference),
          end: true,
        },
        { name: "pairs", says: "Pairs", value: (row) => row.pairs, end: true },
        {
          name: "evidence",
          says: "Evidence, of",
          value: (row) => row.evidence,
          show: (row) => row.pairs ? `${row.evidence.toFixed(1)} of ${row.enough.toFixed(1)}` : "nothing seen yet",
          end: true,
        },
        {
          name: "crossed",
          says: "So it",
          value: stands,
          show: (row) => row.pairs ? h("span", { class: `tag ${row.crossed ? "bad" : "good"}` }, stands(row)) : "–",
        },
      ],
    };
    return h(
      "div",
      { class: "page-part" },
      h("div", { class: "row" }, h("h3", {}, "Guardrails"), h("span", { class: "grow" }), csvButton(options)),
      table(options),
    );
  }

  /** How long it would take is asked before it may begin. */
  async plan() {
    const values = this.values();
    if (!values) return toast("Nothing is drafted: change parameters first.");
    const planned = await dialog({
      title: "Plan a canary",
      body: [
        field(
          "Where the candidate decides",
          choice("mode", [["blocks", "in blocks of hours, drawn by lot"], ["whole", "at every hour"]]),
        ),
        field(
          "Hours of a block",
          choice("block_hours", ["1", "2", "3", "4", "6", "8", "12", "24"].map((each) => [each, each]), "4"),
        ),
        field("Compared with the same hours of", choice("pair_days", [["1", "the next day"], ["7", "the next week"]])),
        field("Reason", h("input", { name: "reason", required: true, maxLength: 200, autofocus: true })),
      ],
      act: "How many days?",
      run: async (form) => {
        const body = {
          values,
          reason: form.get("reason"),
          mode: form.get("mode"),
          block_hours: Number(form.get("block_hours")),
          pair_days: Number(form.get("pair_days")),
        };
        return { body, plan: await this.context.api.post("/tuning/canary/plan", body) };
      },
    });
    if (planned) await this.begin(planned.body, planned.plan);
  }

  /** @param {any} body @param {any} plan */
  async begin(body, plan) {
    const { zone, clock } = this.context;
    const days = h("input", {
      type: "number",
      name: "days",
      min: "1",
      max: String(plan.most_days),
      required: true,
      value: String(plan.days ?? 14),
    });
    const done = await dialog({
      title: plan.days ? `It needs ${plan.days} days` : "The past says too little of how long it needs",
      wide: true,
      body: [
        diffTable(plan.changes, "Changes to be tried"),
        guardrails(plan),
        h(
          "p",
          { class: "soft" },
          `Begins ${
            zone.moment(Date.parse(plan.begins_at), clock.now())
          }. It ends a harmless candidate with a chance of ${
            percent(plan.chance)
          }; in its days it sees what would be too much with ${percent(plan.power)}.`,
        ),
        field("Days", days),
      ],
      act: "Begin the canary",
      grave: true,
      run: (form) =>
        this.context.api.put(
          "/tuning/canary",
          { ...body, days: Number(form.get("days")) },
          this.version ? { ifMatch: this.etag } : {},
        ),
    });
    if (!done) return;
    toast("The canary begins with the market's next midnight.");
    await this.read();
  }

  /** @param {boolean} running */
  async end(running) {
    const done = await dialog({
      title: running ? "Stop the canary" : "Put the canary away",
      body: h(
        "p",
        {},
        running ? "From now on what stood before decides at every hour." : "What it found is gone with it.",
      ),
      act: running ? "Stop it" : "Put it away",
      grave: running,
      run: () => this.context.api.call("DELETE", "/tuning/canary", { ifMatch: this.etag }),
    });
    if (done) await this.read();
  }
}

/** @param {any} plan */
function guardrails(plan) {
  return table({
    label: "Guardrails of the plan",
    file: "canary-plan",
    rows: plan.guardrails,
    columns: [
      { name: "what", says: "Guardrail", value: (/** @type {any} */ row) => words(row.what) },
      {
        name: "worse_by",
        says: "Too much",
        value: (/** @type {any} */ row) => row.worse_by,
        show: (/** @type {any} */ row) => `+${shown(row.what, row.worse_by)}`,
        end: true,
      },
      {
        name: "usually",
        says: "Usually",
        value: (/** @type {any} */ row) => row.usually ?? "",
        show: (/** @type {any} */ row) => shown(row.what, row.usually),
        end: true,
      },
      { name: "past_pairs", says: "Past pairs", value: (/** @type {any} */ row) => row.past_pairs, end: true },
      { name: "days", says: "Days to see it", value: (/** @type {any} */ row) => row.days ?? "not known", end: true },
    ],
  });
}
