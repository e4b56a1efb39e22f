/**
 * Care: episodes in sequence, what is at risk and who has to act; barriers; a patient's name only on demand.
 * @module
 */

import { h, settled } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { Authorizations } from "../parts/authorizations.js";
import { Barriers, sides } from "../parts/barriers.js";
import { ended, Episode } from "../parts/episode.js";
import { empty, figure, showFigures } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { leadsTo } from "../parts/grid_keys.js";
import { stateMark } from "../parts/state.js";
import { button, every, heading, reading, words } from "../parts/view.js";
import { Narrowing } from "../parts/narrowing.js";

export const title = "Care";

const EVERY_MS = 20_000;
const AT_ONCE = 6; // episodes read side by side
const MOST = 400; // episodes of which the progress is read
const LISTED = 2_000;

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  const [first, second] = context.path;
  if (first === "authorizations") return new Authorizations(root, context).stop;
  if (first === "barriers") return new Barriers(root, context).stop;
  const id = first === "episode" ? second : first;
  if (id) return new Episode(root, context, id).stop;
  return new Episodes(root, context).stop;
}

/** What is not shown, if anything. @param {number} count of the episodes that were read */
function notAll(count) {
  if (count <= MOST) return "";
  const listed = count < LISTED ? "" : `The ${count} oldest are listed, more may be open. `;
  return h("p", { class: "hint" }, `${listed}The progress of the ${MOST} oldest is shown; open one to see it.`);
}

/**
 * @typedef {object} Line
 * @property {string} id
 * @property {string} opened
 * @property {string[]} owners
 * @property {string[]} requests
 * @property {any | null} whole null: not read yet
 */

/** @type {Record<string, { says: string, fits: (line: Line) => boolean }>} */
const FILTERS = {
  risk: { says: "At risk", fits: (line) => (line.whole?.at_risk || []).length > 0 },
  tasks: { says: "Tasks open", fits: (line) => (line.whole?.tasks || []).length > 0 },
  barrier: { says: "Barriers", fits: (line) => (line.whole?.barriers || []).length > 0 },
  mine: { says: "Coordinator's", fits: (line) => line.owners.includes("care_coordinator") },
  manager: { says: "Case manager's", fits: (line) => line.owners.includes("case_manager") },
};

class Episodes {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    root.classList.add("full");
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Map<string, { version: number, whole: any }>} */
    this.wholes = new Map();
    /** @type {Set<string>} episodes of which something changed since they were read */
    this.changed = new Set();
    this.narrowing = new Narrowing(context, FILTERS, {
      which: "Which episodes",
      find: "Find by the id of an episode or request",
      hint: "Episode or request id  /",
      text: (line) => [line.id, ...line.requests].join(" "),
      changed: () => this.draw(true),
    });
    this.figures = h("div", { class: "figures" });
    this.trouble = h("div", {});
    this.grid = this.newGrid();
    leadsTo(this.narrowing.find, this.grid);
    root.append(
      heading(title, this.narrowing.find, button("Export CSV", () => this.grid.exportCsv())),
      sides(context, "episodes"),
      this.figures,
      this.narrowing.chips.node,
      this.trouble,
      this.grid,
    );
    void this.read();
    every(() => this.read(), EVERY_MS, context.signal);
    context.signal.addEventListener("abort", context.store.onChange((ids) => this.heard(ids)));
    this.stop = bind([
      { key: "/", says: "Find an episode", act: () => this.narrowing.find.focus() },
      { key: "r", says: "Read again", act: () => void this.read() },
      { key: "e", says: "Export CSV", act: () => this.grid.exportCsv() },
    ]);
  }

  newGrid() {
    const { context } = this;
    return grid({
      label: "Episodes",
      file: "episodes",
      key: (/** @type {Line} */ line) => line.id,
      open: (line) => context.go("care", ["episode", line.id]),
      tone: (line) => FILTERS.risk.fits(line) ? "bad" : FILTERS.tasks.fits(line) ? "warn" : "",
      empty: empty("No open episode.", "One opens with POST …/episodes, or when a request names it."),
      columns: [
        {
          name: "id",
          says: "Episode",
          width: 180,
          least: 130,
          value: (line) => line.id,
          show: (line) => h("a", { class: "mono", href: context.href("care", ["episode", line.id]) }, line.id),
        },
        {
          name: "opened_at",
          says: "Opened",
          width: 130,
          least: 110,
          value: (line) => line.opened,
          show: (line) => context.zone.moment(Date.parse(line.opened), context.clock.now()),
        },
        { name: "owners", says: "Owners", width: 180, least: 110, value: (line) => line.owners.map(words).join(", ") },
        { name: "requests", says: "Requests", width: 80, value: (line) => line.requests.length, end: true },
        {
          name: "done",
          says: "Ended",
          width: 70,
          value: (line) => line.whole ? ended(line.whole) : "",
          end: true,
          title: "Of its requests, how many have ended",
        },
        {
          name: "at_risk",
          says: "At risk",
          width: 190,
          least: 120,
          value: (line) => (line.whole?.at_risk || []).join(" "),
          show: (line) => {
            const at = line.whole?.at_risk || [];
            return at.length ? h("span", { class: "tag bad" }, at.join(", ")) : "";
          },
        },
        { name: "tasks", says: "Tasks", width: 70, value: (line) => line.whole?.tasks?.length || 0, end: true },
        {
          name: "progress",
          says: "Progress",
          width: 320,
          least: 240,
          below: 1,
          value: (line) => (line.whole?.requests || []).map((/** @type {any} */ each) => each.state || "").join(" "),
          show: (line) =>
            line.whole
              ? h(
                "span",
                { class: "tags" },
                line.whole.requests.map((/** @type {any} */ each) =>
                  stateMark(each.state || "cancelled", words(each.state || "forgotten"))
                ),
              )
              : "…",
        },
      ],
    });
  }

  async read() {
    const { api, signal } = this.context;
    await reading(this.trouble, signal, async () => {
      /** @type {any[]} */
      const found = [];
      for await (const page of api.pages("/episodes", { limit: 200 }, signal)) {
        found.push(...page.episodes);
        if (found.length >= LISTED) break;
      }
      this.lines = found.map((each) => ({
        id: each.id,
        opened: each.opened_at,
        owners: each.owners,
        requests: each.requests || [],
        whole: this.wholes.get(each.id)?.whole || null,
      }));
      this.draw();
      return found;
    }, (found) => {
      void this.progress(found.slice(0, MOST));
      return notAll(found.length);
    });
  }

  /** What is new, or of which something changed, is read whole; a few at once. @param {any[]} found */
  async progress(found) {
    const { api, signal } = this.context;
    const wanted = found.filter((each) =>
      this.wholes.get(each.id)?.version !== each.version || this.changed.has(each.id)
    );
    this.changed.clear();
    const work = async () => {
      for (let each = wanted.shift(); each && !signal.aborted; each = wanted.shift()) {
        const whole = await api.get(`/episodes/${each.id}`, {}, signal).catch(() => null);
        if (whole) this.wholes.set(each.id, { version: each.version, whole });
        const line = this.lines.find((one) => one.id === each.id);
        if (line && whole) line.whole = whole;
        this.drawSoon();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Whose requests moved on is read again with the next look. @param {Set<string> | null} ids null: all may have */
  heard(ids) {
    for (const line of this.lines) {
      if (!ids || line.requests.some((each) => ids.has(each))) this.changed.add(line.id);
    }
  }

  drawSoon = settled(() => this.context.signal.aborted || this.draw(), 100);

  /** @param {boolean} [anew] */
  draw(anew = false) {
    const { found: lines, shown } = this.narrowing.narrow(this.lines.map((line) => ({ ...line })));
    this.grid.update(shown, { anew });
    const risk = lines.filter(FILTERS.risk.fits).length, tasks = lines.filter(FILTERS.tasks.fits).length;
    showFigures(
      this.figures,
      figure({ value: lines.length, says: "open episodes" }),
      figure({
        value: risk,
        says: "at risk",
        tone: risk ? "bad" : "",
        href: this.context.href("care", [], { only: "risk" }),
      }),
      figure({
        value: tasks,
        says: "with tasks open",
        tone: tasks ? "warn" : "",
        href: this.context.href("care", [], { only: "tasks" }),
      }),
    );
  }
}
