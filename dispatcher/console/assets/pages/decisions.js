/**
 * Decisions: found by day or request, read row by row, replayed; what was chosen, what stood next, who was
 * excluded by which rule.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { showTrouble } from "../parts/dialog.js";
import { DecisionPanel } from "../parts/decision.js";
import { rowPanel } from "../parts/decision_row.js";
import { exportAll } from "../parts/export_all.js";
import { empty } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { leadsTo } from "../parts/grid_keys.js";
import { button, dollars, heading, number, reading, requestLink, words } from "../parts/view.js";

export const title = "Decisions";

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  const [digest] = context.path;
  if (digest && context.may("ops")) return new DecisionPanel(root, context, digest).stop;
  return new Search(root, context).stop;
}

class Search {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    root.classList.add("full");
    const { zone, clock, query } = context, isOps = context.may("ops");
    this.day = h("input", {
      type: "date",
      "aria-label": `Day, ${zone.name}`,
      value: query.get("day") ?? (query.get("request") ? "" : zone.date(clock.now())),
      onchange: () => this.asked(),
    });
    this.request = h("input", {
      type: "search",
      placeholder: "Request id  /",
      "aria-label": "Decisions on the request with this id",
      value: query.get("request") || "",
      onchange: () => this.asked(),
    });
    this.trouble = h("div", { class: "page-part" });
    /** @type {any[]} */
    this.rows = [];
    this.cursor = "";
    this.more = button("Read more", () => this.read(true), { hidden: true });
    this.grid = this.newGrid();
    leadsTo(this.request, this.grid);
    root.append(
      heading(
        title,
        isOps && this.day,
        isOps && button("Any day", () => {
          this.day.value = "";
          this.asked();
        }, { class: "quiet" }),
        this.request,
        isOps && button("Export CSV", () => exportAll(this, context.signal)),
      ),
      this.trouble,
      ...isOps ? [this.grid, h("div", { class: "row" }, this.more)] : [],
    );
    void this.read();
    this.stop = bind([
      { key: "/", says: "Find by request", act: () => this.request.focus() },
      { key: "r", says: "Read again", act: () => void this.read() },
      { key: "e", says: "Export CSV", act: () => void exportAll(this, context.signal) },
    ]);
  }

  newGrid() {
    const { context } = this;
    return grid({
      label: "Decisions",
      file: "decisions",
      key: (/** @type {any} */ row) => row.digest,
      open: (row) => context.go("decisions", [row.digest], this.request.value ? { request: this.request.value } : {}),
      empty: empty(
        "No saved decision here.",
        "Choose another day, or none. Decisions are saved while decisions_days is above 0 (Tuning).",
      ),
      columns: [
        {
          name: "at",
          says: "When",
          width: 150,
          least: 120,
          value: (row) => row.at,
          show: (row) => context.zone.moment(Date.parse(row.at), context.clock.now()),
        },
        {
          name: "digest",
          says: "Digest",
          width: 190,
          least: 160,
          value: (row) => row.digest,
          show: (row) => h("a", { class: "mono", href: context.href("decisions", [row.digest]) }, row.digest),
        },
        { name: "kind", says: "Kind", width: 100, value: (row) => row.kind, show: (row) => words(row.kind) },
        { name: "solver", says: "Solver", width: 100, value: (row) => row.solver },
        { name: "requests", says: "Requests", width: 90, value: (row) => row.requests, end: true },
        { name: "matched", says: "Matched", width: 90, value: (row) => row.matched, end: true },
        {
          name: "unmatched",
          says: "Left out",
          width: 80,
          value: (row) => row.requests - row.matched,
          end: true,
        },
        {
          name: "cost_cents",
          says: "Cost",
          width: 120,
          value: (row) => row.cost_cents,
          show: (row) => dollars(row.cost_cents),
          end: true,
        },
        {
          name: "gap",
          says: "Gap at most",
          width: 110,
          value: (row) => gapOf(row),
          show: (row) => `${(gapOf(row) * 100).toFixed(2)} %`,
          end: true,
          title: "No plan costs less than the proven bound: so much the plan is above it, at most",
        },
        {
          name: "place",
          says: "In chain",
          width: 100,
          value: (row) => row.place,
          show: (row) => number(row.place),
          end: true,
        },
      ],
    });
  }

  asked() {
    this.context.setQuery({
      day: this.day.value || (this.request.value ? "" : null),
      request: this.request.value.trim(),
    });
    void this.read();
  }

  /** @param {boolean} [further] */
  async read(further = false) {
    const { api, signal } = this.context, request = this.request.value.trim();
    if (!this.context.may("ops")) return request ? this.ofRequest(request) : this.askFor();
    const query = { day: this.day.value, request, limit: 200, cursor: further ? this.cursor : "" };
    await reading(this.trouble, signal, () => api.get("/decisions", query, signal), (page) => {
      this.rows = further ? [...this.rows, ...page.decisions] : page.decisions;
      this.cursor = page.cursor;
      this.more.hidden = !page.cursor;
      this.grid.update(this.rows, { anew: !further });
      return request
        ? h("p", {}, "Decisions on ", requestLink(this.context, request), "; open one to see its row.")
        : "";
    });
  }

  /** The decisions before it. @param {string[]} earlier */
  before(earlier) {
    if (!earlier.length) return null;
    const links = earlier.flatMap((each) => [" ", h("a", { href: this.context.href("decisions", [each]) }, each)]);
    return h("p", { class: "soft" }, "Decisions before it:", ...links);
  }

  askFor() {
    fill(this.trouble, empty("Which request?", "Give its id above: the last decision on it is shown."));
  }

  /** @param {string} request */
  async ofRequest(request) {
    const { api, signal } = this.context;
    try {
      const found = await api.get(`/requests/${encodeURIComponent(request)}/decision`, {}, signal);
      if (signal.aborted) return;
      fill(
        this.trouble,
        found.chosen_by && h("p", {}, byHand(found)),
        this.before(found.earlier),
        rowPanel(this.context, found.row, found.decision),
      );
    } catch (error) {
      if (signal.aborted) return;
      const trouble = h("p", { class: "trouble", role: "alert" });
      showTrouble(trouble, error);
      fill(this.trouble, trouble);
    }
  }
}

/** That somebody chose the vendor, and what is shown. @param {any} found */
function byHand(found) {
  return found.decision.kind === "by_hand"
    ? `${found.chosen_by} chose this vendor by hand: no other was looked at.`
    : `${found.chosen_by} chose its vendor by hand, and that is not kept: this was decided before.`;
}

/** How far above the proven bound, as a share. @param {any} row */
export function gapOf(row) {
  return row.cost_cents > 0 ? Math.max(0, row.cost_cents - row.bound_cents) / row.cost_cents : 0;
}
