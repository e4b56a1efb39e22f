/**
 * One saved decision: its figures, the row of every request, and its replay.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { dialog } from "./dialog.js";
import { exportAll } from "./export_all.js";
import { figure } from "./figure.js";
import { grid } from "./grid.js";
import { button, dollars, heading, number, reading, requestLink, seconds, words } from "./view.js";
import { more, rowPanel, why } from "./decision_row.js";

const PAGES_AT_ONCE = 10; // of rows, before one has to ask for more

/** @type {Record<string, string>} */
const REPLAYED = {
  identical: "Replayed: the same plan, byte for byte.",
  verified: "Replayed: the recorded choice keeps every rule, at the recorded cost and bound.",
  differs: "The replay differs.",
};

/** The page of one decision. */
export class DecisionPanel {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   * @param {string} digest
   */
  constructor(root, context, digest) {
    this.context = context;
    this.digest = digest;
    root.classList.add("full");
    /** @type {any[]} */
    this.rows = [];
    this.cursor = "";
    this.head = h("div", { class: "page-part" });
    this.replayed = h("div", { role: "status" });
    this.more = button("Read more rows", () => this.read(true), { hidden: true });
    this.grid = this.newGrid();
    root.append(
      heading(
        `Decision ${digest}`,
        h("a", { class: "button", href: context.href("decisions") }, "All decisions"),
        button("Export CSV", () => exportAll(this, context.signal)),
        h("a", { class: "button", href: context.href("what-if", ["new"], { against: digest }) }, "What if …"),
        button("Replay", () => this.replay(), { class: "primary", title: "p" }),
      ),
      this.head,
      this.replayed,
      this.grid,
      h("div", { class: "row" }, this.more),
    );
    void this.read();
    this.stop = bind([
      { key: "Escape", says: "All decisions", act: () => context.go("decisions") },
      { key: "p", says: "Replay it", act: () => void this.replay() },
      { key: "e", says: "Export CSV", act: () => void exportAll(this, context.signal) },
    ]);
  }

  newGrid() {
    return grid({
      label: "Requests of the decision",
      file: `decision-${this.digest}`,
      key: (/** @type {any} */ row) => row.request_id,
      open: (row) => void this.show(row.request_id),
      tone: (row) => row.chosen ? "" : "warn",
      empty: "This decision was about no request.",
      columns: [
        {
          name: "request_id",
          says: "Request",
          width: 170,
          least: 120,
          value: (row) => row.request_id,
          show: (row) => requestLink(this.context, row.request_id),
        },
        {
          name: "vendor_id",
          says: "Chosen",
          width: 140,
          least: 100,
          value: (row) => row.chosen?.vendor_id || "",
          show: (row) =>
            row.chosen?.vendor_id ||
            h("span", { class: row.stood ? "tag" : "tag warn" }, row.stood ? "stays" : "left out"),
        },
        {
          name: "start_at",
          says: "Start",
          width: 140,
          least: 100,
          value: (row) => row.chosen?.start_at || "",
          show: (row) =>
            row.chosen ? this.context.zone.moment(Date.parse(row.chosen.start_at), this.context.clock.now()) : "",
        },
        {
          name: "cost_cents",
          says: "Cost",
          width: 96,
          least: 84,
          value: (row) => row.chosen?.cost_cents ?? "",
          show: (row) => row.chosen ? dollars(row.chosen.cost_cents) : "",
          end: true,
        },
        { name: "became", says: "Became", width: 130, least: 96, value: (row) => words(row.chosen?.became || "") },
        { name: "candidates", says: "Candidates", width: 96, least: 88, value: (row) => row.candidates, end: true },
        { name: "vendors", says: "Vendors", width: 80, least: 72, value: (row) => row.vendors, end: true },
        {
          name: "next_best",
          says: "Next best",
          width: 170,
          least: 120,
          value: (row) => row.runners_up?.[0]?.vendor_id || "",
          show: (row) => row.runners_up?.[0] ? `${row.runners_up[0].vendor_id} ${more(row)}` : "",
        },
        {
          name: "why",
          says: "Why not",
          width: 320,
          least: 160,
          value: (row) => why(row),
        },
      ],
    });
  }

  /** @param {boolean} [further] */
  read(further = false) {
    const { api, signal, query } = this.context;
    const all = async () => {
      let view = null;
      for (let page = 0; page < PAGES_AT_ONCE; page++) {
        view = await api.get(`/decisions/${this.digest}`, {
          limit: 200,
          cursor: this.cursor,
          request: query.get("request"),
        }, signal);
        this.rows.push(...view.rows);
        if (!(this.cursor = view.cursor)) break;
      }
      return view;
    };
    if (!further) {
      this.rows = [];
      this.cursor = "";
    }
    return reading(this.head, signal, all, (view) => {
      this.grid.update(this.rows, { anew: !further });
      this.more.hidden = !this.cursor;
      if (query.get("request") && this.rows[0] && !further) void this.show(this.rows[0].request_id);
      return this.figures(view);
    });
  }

  /** @param {any} view */
  figures(view) {
    const { decision } = view, { zone, clock } = this.context;
    const gap = Math.max(0, decision.cost_cents - decision.bound_cents);
    const became = Object.entries(view.became).map(([name, count]) => `${count} ${words(name)}`).join(", ");
    return [
      h(
        "div",
        { class: "figures" },
        figure({
          value: `${number(decision.matched)} of ${number(decision.requests)}`,
          says: "matched, or moved; offers that stay are none",
        }),
        figure({ value: dollars(decision.cost_cents), says: "cost of the plan, what is left out at its penalty" }),
        figure({ value: dollars(gap), says: "above the proven bound, at most" }),
        figure({ value: seconds(view.solve_s), says: `to solve; limited by ${view.limited_by}` }),
      ),
      h(
        "p",
        { class: "soft" },
        `${words(decision.kind)} by ${decision.solver}, ${
          zone.moment(Date.parse(decision.at), clock.now())
        }, tuning version ${view.tuning_version}, seed ${view.seed}, software ${view.software}. ${
          became ? `Of its matches: ${became}.` : ""
        }`,
      ),
    ];
  }

  async replay() {
    const { api, signal } = this.context;
    fill(this.replayed, h("p", { class: "soft" }, "It is solved again; nothing is changed by that …"));
    await reading(
      this.replayed,
      signal,
      () => api.post(`/decisions/${this.digest}/replay`, undefined, { signal }),
      (found) => {
        const bad = found.how === "differs";
        return h(
          "p",
          { class: bad ? "trouble" : "panel good" },
          h("strong", {}, REPLAYED[found.how]),
          found.problems.map((/** @type {string} */ each) => h("span", { class: "remedy" }, each)),
          found.hint && h("span", { class: "remedy" }, found.hint),
        );
      },
    );
  }

  /** One request with who was excluded, by name. @param {string} request */
  async show(request) {
    const view = await this.context.api.get(`/decisions/${this.digest}`, { request }).catch(() => null);
    const row = view?.rows[0] || this.rows.find((each) => each.request_id === request);
    if (row && !this.context.signal.aborted) {
      await dialog({ title: `${request} in this decision`, wide: true, body: rowPanel(this.context, row, null) });
    }
  }
}
