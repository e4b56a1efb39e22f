/**
 * One what-if: how far it is; then what would be otherwise, by figure, by group and by request, and what of it is
 * chance.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { Chips } from "./chips.js";
import { dialog, showTrouble } from "./dialog.js";
import { Draft } from "./draft.js";
import { figure } from "./figure.js";
import { grid } from "./grid.js";
import { button, dollars, heading, number, percent, reading, requestLink, section, words } from "./view.js";
import { laidOver } from "./what_if_ask.js";
import { changeInWords } from "./what_if_words.js";
import { ruleSays } from "./words.js";
import { figuresTable, groupTables, proofTable } from "./what_if_tables.js";

const EVERY_MS = 1_000;
const GOES_ON = new Set(["queued", "running"]);

/** @type {Record<string, string>} */
const TONES = { gained: "good", lost: "bad", moved: "accent" };

/** The page of one what-if. */
export class Answered {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   * @param {string} id
   */
  constructor(root, context, id) {
    this.context = context;
    this.id = id;
    /** @type {any} */
    this.view = null;
    this.acts = h("span", { class: "row" });
    this.body = h("div", { class: "page-part" });
    root.append(
      heading("What if", h("a", { class: "button", href: context.href("what-if") }, "All what-ifs"), this.acts),
      this.body,
    );
    this.chips = new Chips("Which requests", () => this.narrow());
    /** @type {import("./grid.js").Grid | null} */
    this.grid = null;
    void this.read();
    this.stop = bind([
      { key: "Escape", says: "All what-ifs", act: () => context.go("what-if") },
      { key: "a", says: "Apply it: to the draft of the tuning", act: () => void this.apply() },
      { key: "x", says: "Cancel it", act: () => void this.cancel() },
      { key: "e", says: "Export CSV", act: () => this.grid?.exportCsv() },
    ]);
  }

  /** @returns {Promise<void>} */
  async read() {
    const { api, signal } = this.context;
    await reading(this.body, signal, () => api.get(`/what-if/${this.id}`, {}, signal), (view) => {
      this.view = view;
      this.drawActs(view);
      return this.draw(view);
    });
    if (this.view && GOES_ON.has(this.view.state) && !signal.aborted) {
      setTimeout(() => signal.aborted || this.read(), EVERY_MS);
    }
  }

  /** @param {any} view */
  drawActs(view) {
    fill(
      this.acts,
      GOES_ON.has(view.state) && button("Cancel", () => this.cancel(), { title: "x" }),
      view.answer &&
        h("a", {
          class: "button",
          href: this.context.api.url(`/what-if/${this.id}/rows.csv`),
          download: `${this.id}.csv`,
        }, "Whole CSV"),
      view.answer && Object.keys(view.change.values || {}).length > 0 &&
        button("Apply …", () => this.apply(), { class: "primary", title: "a" }),
    );
  }

  /** @param {any} view */
  draw(view) {
    const { zone, clock } = this.context;
    const head = [
      h("h2", {}, changeInWords(view.change)),
      h(
        "p",
        { class: "soft" },
        `Against ${view.against === "now" ? "the requests of now" : view.against}, asked by ${view.by || "–"}, ${
          zone.moment(Date.parse(view.asked_at), clock.now())
        }.`,
      ),
    ];
    if (view.answer) return [...head, ...this.answer(view.answer)];
    if (GOES_ON.has(view.state)) {
      return [
        ...head,
        section(
          view.state === "queued" ? "It waits for its turn" : `Solving, ${percent(view.progress)}`,
          null,
          h("progress", { max: 1, value: view.progress, "aria-label": "Progress" }),
          h("p", { class: "soft" }, "It works only while no batch waits. You may leave this page."),
        ),
      ];
    }
    const trouble = h("p", { class: "trouble", role: "alert" });
    showTrouble(trouble, `${words(view.state)}${view.detail ? `: ${view.detail}` : "."}`);
    return [...head, trouble, h("p", {}, h("a", { class: "button", href: this.again(view) }, "Ask again …"))];
  }

  /** The form, against the same. @param {any} view */
  again(view) {
    return this.context.href("what-if", ["new"], view.against === "now" ? {} : { against: view.against });
  }

  /** @param {any} answer */
  answer(answer) {
    const sure = answer.changed - answer.anyway;
    return [
      h("p", { class: "panel verdict" }, h("strong", {}, answer.verdict)),
      h(
        "div",
        { class: "figures" },
        figure({ value: number(answer.changed), says: `of ${number(answer.requests)} would fare otherwise` }),
        figure({ value: number(answer.anyway), says: "of these move anyway, by chance" }),
        figure({ value: number(sure), says: "by the change", tone: sure ? "warn" : "" }),
        figure({ value: number(answer.floor), says: "noise floor: with another seed alone" }),
        figure({ value: number(answer.told), says: "told already: none of them moves" }),
      ),
      answer.proof && proofTable(answer.proof, this.id),
      figuresTable(answer.figures, this.id),
      groupTables(answer.groups, this.id),
      this.rows(answer),
    ];
  }

  /** @param {any} answer */
  rows(answer) {
    const { context } = this;
    this.grid = grid({
      label: "Requests that would fare otherwise",
      file: `${this.id}-requests`,
      key: (/** @type {any} */ row) => row.request_id,
      open: (row) => context.go("request", [row.request_id]),
      empty: "No request would fare otherwise.",
      columns: [
        {
          name: "request_id",
          says: "Request",
          width: 170,
          least: 120,
          value: (row) => row.request_id,
          show: (row) => requestLink(context, row.request_id),
        },
        {
          name: "kind",
          says: "Would",
          width: 90,
          value: (row) => row.kind,
          show: (row) => h("span", { class: `tag ${TONES[row.kind] || ""}` }, row.kind),
        },
        { name: "from_vendor", says: "From", width: 120, least: 88, value: (row) => row.from_vendor || "none" },
        { name: "to_vendor", says: "To", width: 120, least: 88, value: (row) => row.to_vendor || "none" },
        { name: "minutes", says: "Minutes", width: 84, least: 76, value: (row) => row.minutes, end: true },
        {
          name: "cents",
          says: "Cost",
          width: 96,
          value: (row) => row.cents,
          show: (row) => (row.cents > 0 ? "+" : "") + dollars(row.cents),
          end: true,
        },
        {
          name: "reason",
          says: "Because of",
          width: 200,
          least: 140,
          value: (row) => row.reason,
          show: (row) => ruleSays(row.reason),
        },
        {
          name: "anyway",
          says: "Chance",
          width: 240,
          least: 120,
          value: (row) => row.anyway ? "moves anyway" : "",
          title: "It fares otherwise with another seed of today's settings, too",
        },
      ],
    });
    this.grid.classList.add("tall");
    this.all = answer.rows;
    this.narrow();
    return section(
      `Requests${answer.left_out ? ` (${number(answer.left_out)} more in no list)` : ""}`,
      button("Export CSV", () => this.grid?.exportCsv(), { class: "quiet" }),
      this.chips.node,
      this.grid,
    );
  }

  narrow() {
    const rows = /** @type {any[]} */ (this.all || []), on = this.chips.on;
    const fits = (/** @type {any} */ row, /** @type {string} */ value) =>
      value === "sure" ? !row.anyway : row.kind === value;
    this.chips.show([
      { value: "lost", says: "Lose a vendor" },
      { value: "gained", says: "Gain one" },
      { value: "moved", says: "Move" },
      { value: "sure", says: "Not by chance" },
    ].map((each) => ({ ...each, count: rows.filter((row) => fits(row, each.value)).length })));
    const kinds = [...on].filter((each) => each !== "sure");
    this.grid?.update(
      rows.filter((row) => (!kinds.length || kinds.includes(row.kind)) && (!on.has("sure") || !row.anyway)),
      { anew: true },
    );
  }

  async cancel() {
    if (!this.view || !GOES_ON.has(this.view.state)) return;
    await this.context.api.post(`/what-if/${this.id}/cancel`).catch(() => null);
    await this.read();
  }

  async apply() {
    const values = this.view?.change.values || {};
    if (!this.view?.answer || !Object.keys(values).length) return;
    const { change } = this.view, rest = { ...change, values: {} };
    const more = changeInWords(rest) !== "nothing changed";
    const done = await dialog({
      title: "Apply this what-if",
      body: [
        h(
          "p",
          {},
          `${
            changeInWords({ values })
          }: it goes into the draft of the tuning, where the diff is shown and the reason asked. The version names this what-if.`,
        ),
        more && h("p", { class: "soft" }, `Not applied by that: ${changeInWords(rest)}.`),
      ],
      act: "To the draft",
      run: async () => {
        const { parameters } = await this.context.api.get("/tuning");
        new Draft(this.context.market).take(parameters, laidOver(parameters, values));
        return true;
      },
    });
    if (done) this.context.go("tuning", [], { what_if: this.id, only: "changed" });
  }
}
