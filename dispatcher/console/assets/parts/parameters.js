/**
 * The parameters, from their declarations: value, default, bounds, unit, what it does, where it is read; changes
 * are drafted, looked at as a diff, and applied with a reason over the version that was read.
 * @module
 */

import { Problem } from "../core/api.js";
import { fill, h, settled } from "../core/dom.js";
import { Chips } from "./chips.js";
import { dialog, field } from "./dialog.js";
import { overrides, same } from "./draft.js";
import { Measuring } from "./measuring.js";
import { diffTable } from "./parameter_words.js";
import { csvButton } from "./table.js";
import { toast } from "./toast.js";
import { button, reading, section } from "./view.js";
import { parameterRow } from "./parameter_row.js";

/** @typedef {import("./draft.js").Parameter} Parameter */
/** @typedef {import("./draft.js").Draft} Draft */

/** The side of the page with every parameter. */
export class Parameters {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {Draft} draft
   */
  constructor(context, draft) {
    this.context = context;
    this.draft = draft;
    /** @type {any} the tuning as read */
    this.tuning = { parameters: [] };
    this.etag = "";
    /** @type {any} what a nudge of each would have moved, as it was measured last */
    this.told = null;
    /** @type {Map<string, any>} */
    this.effects = new Map();
    this.find = h("input", {
      type: "search",
      placeholder: "Name or word  /",
      "aria-label": "Find a parameter",
      value: context.query.get("find") || "",
      oninput: settled(() => {
        context.setQuery({ find: this.find.value });
        this.narrow();
      }),
    });
    this.chips = new Chips("Which parameters", (on) => {
      context.setQuery({ only: [...on].join(",") || null });
      this.narrow();
    });
    this.chips.set((context.query.get("only") || "").split(",").filter(Boolean));
    this.list = h("div", { class: "page-part" });
    this.measuring = new Measuring(context, () => void this.read());
    this.news = h("div", { class: "page-part" });
    this.foot = h("div", { class: "sticky-foot row", hidden: true });
    this.body = h("div", { class: "page-part" });
    this.node = h(
      "div",
      { class: "page-part" },
      h(
        "div",
        { class: "row" },
        this.find,
        this.chips.node,
        h("span", { class: "grow" }),
        button("Export CSV", () => this.export()),
      ),
      this.news,
      this.body,
      this.foot,
    );
    draft.listeners.add(() => this.drawFoot());
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.keys = [
      { key: "/", says: "Find a parameter", act: () => this.find.focus() },
      { key: "a", says: "Review and apply the changes", act: () => void this.apply() },
      { key: "e", says: "Export CSV", act: () => this.export() },
    ];
  }

  read() {
    const { api, signal } = this.context;
    const both = () => Promise.all([api.call("GET", "/tuning", { signal }), api.get("/tuning/parameters", {}, signal)]);
    return reading(this.body, signal, both, ([found, told]) => {
      this.tuning = found.data;
      this.etag = found.etag;
      this.told = told;
      this.effects = new Map(told.parameters.map((/** @type {any} */ each) => [each.name, each]));
      this.draft.settle(this.tuning.parameters);
      return this.draw();
    });
  }

  draw() {
    const { tuning } = this,
      scopes = [...new Set(tuning.parameters.map((/** @type {Parameter} */ each) => roomOf(each)))];
    this.rows.clear();
    const made = scopes.map((scope) => {
      const parameters = tuning.parameters.filter((/** @type {Parameter} */ each) => roomOf(each) === scope);
      return h(
        "section",
        { class: "page-part", dataset: { scope } },
        h("h2", {}, String(scope).replaceAll(".", " · ").replaceAll("_", " ")),
        h("div", { class: "parameters" }, parameters.map((/** @type {Parameter} */ each) => this.row(each))),
      );
    });
    const said = tuning.version
      ? `Version ${tuning.version}, by ${tuning.by || "–"}${tuning.reason ? `: “${tuning.reason}”` : ""}`
      : "Version 0: every parameter is at its default.";
    fill(this.list, made);
    this.narrow();
    this.drawFoot();
    this.measuring.show(this.told);
    return [h("p", { class: "soft" }, said), this.measuring.node, this.list];
  }

  /** @param {Parameter} parameter */
  row(parameter) {
    const row = parameterRow(parameter, this.draft, this.effects.get(parameter.name));
    this.rows.set(parameter.name, row);
    return row;
  }

  narrow() {
    const words = this.find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = /** @type {Parameter[]} */ (this.tuning.parameters);
    const fits = (/** @type {Parameter} */ each) =>
      words.every((word) => `${each.name} ${each.summary} ${each.scope}`.toLowerCase().includes(word));
    const isSet = (/** @type {Parameter} */ each) => !same(each.value, each.default);
    const drafted = (/** @type {Parameter} */ each) => this.draft.values.has(each.name);
    const found = all.filter(fits);
    const moves = (/** @type {Parameter} */ each) => {
      const effect = this.effects.get(each.name)?.effect;
      return [effect?.down, effect?.up].some((nudge) =>
        nudge && nudge.moved + nudge.gained + nudge.lost > nudge.anyway
      );
    };
    this.chips.show([
      { value: "moves", says: "Moves something", count: found.filter(moves).length },
      { value: "set", says: "Set, not default", count: found.filter(isSet).length },
      { value: "changed", says: "Changed now", count: found.filter(drafted).length },
    ]);
    const shown = new Set(
      found.filter((each) =>
        (!this.chips.on.has("set") || isSet(each)) && (!this.chips.on.has("changed") || drafted(each)) &&
        (!this.chips.on.has("moves") || moves(each))
      ).map((each) => each.name),
    );
    for (const [name, row] of this.rows) row.hidden = !shown.has(name);
    for (const part of this.list.querySelectorAll("section")) {
      part.hidden = !part.querySelector(".parameter:not([hidden])");
    }
  }

  drawFoot() {
    const changes = this.draft.changes(this.tuning.parameters);
    this.foot.hidden = !changes.length;
    this.narrow();
    fill(
      this.foot,
      h("strong", { role: "status" }, `${changes.length} change${changes.length === 1 ? "" : "s"}, not applied`),
      h("span", { class: "grow" }),
      button("Discard", () => this.discard(), { class: "quiet" }),
      h("a", { class: "button", href: this.context.href("what-if", ["new"]) }, "What if …"),
      button("Review and apply …", () => this.apply(), { class: "primary", title: "a" }),
    );
  }

  discard() {
    const kept = new Map(this.draft.values);
    this.draft.clear();
    void this.read();
    toast("The changes are discarded.", {
      undo: () => {
        this.draft.values = kept;
        this.draft.keep();
        void this.read();
      },
    });
  }

  async apply() {
    const changes = this.draft.changes(this.tuning.parameters);
    if (!changes.length) return toast("Nothing is changed.");
    const wrong = this.list.querySelector(".parameter.wrong");
    if (wrong) return toast("A value cannot be taken: it is marked.", { grave: true });
    const whatIf = this.context.query.get("what_if");
    const done = await dialog({
      title: `Apply ${changes.length} change${changes.length === 1 ? "" : "s"} to ${this.context.market}`,
      wide: true,
      body: [
        diffTable(
          changes.map((each) => ({
            name: each.parameter.name,
            unit: each.parameter.unit,
            before: each.before,
            after: each.after,
          })),
        ),
        h(
          "p",
          { class: "soft" },
          `In force within a second, as version ${this.tuning.version + 1}; any version can be restored.`,
        ),
        whatIf && h("p", { class: "soft" }, `With what-if ${whatIf}.`),
        field(
          "Reason",
          h("input", { name: "reason", required: true, maxLength: 200, autofocus: true }),
          "Whoever reads the versions sees it.",
        ),
      ],
      act: "Apply",
      run: (form) => this.send(String(form.get("reason")), whatIf),
    });
    if (!done) return;
    if (done === "stale") return this.stale();
    this.draft.clear();
    this.context.setQuery({ what_if: null });
    toast(`Version ${done.data.version} is in force.`, {
      undo: () => this.context.go("tuning", ["versions"]),
      undoSays: "Versions",
    });
    await this.read();
  }

  /** @param {string} reason @param {string | null} whatIf */
  async send(reason, whatIf) {
    const values = overrides(this.tuning.parameters, this.draft.values);
    const body = whatIf ? { values, reason, what_if: whatIf } : { values, reason };
    const ask = this.tuning.version ? { ifMatch: this.etag, body } : { body };
    try {
      return await this.context.api.call("PUT", "/tuning", ask);
    } catch (error) {
      if (error instanceof Problem && (error.status === 412 || error.status === 428)) return "stale";
      throw error;
    }
  }

  /** Somebody else was first: what they did is shown, and our changes stand over it, to be looked at again. */
  async stale() {
    const before = this.tuning.version;
    await this.read();
    const { version, by, reason } = this.tuning;
    const found = before
      ? await this.context.api.get(`/tuning/versions/${before}/diff`, { to: version }).catch(() => null)
      : null;
    fill(
      this.news,
      section(
        "Somebody changed the tuning meanwhile",
        button("I have seen it", () => fill(this.news), { class: "quiet" }),
        h(
          "p",
          { role: "alert" },
          `Version ${version} by ${by || "–"}${
            reason ? `: “${reason}”` : ""
          }. Yours are not applied; they are kept, over what stands now. Review them again.`,
        ),
        found?.changes.length ? diffTable(found.changes) : null,
      ),
    );
    this.news.scrollIntoView();
  }

  export() {
    csvButton({
      label: "Parameters",
      file: "tuning",
      rows: this.tuning.parameters,
      columns: ["name", "value", "default", "minimum", "maximum", "unit", "scope", "summary"].map((name) => ({
        name,
        says: name,
        value: (/** @type {any} */ row) => Array.isArray(row[name]) ? row[name].join(" ") : row[name],
      })),
    }).click();
  }
}

/** Where it is read, without the file: `rules.credentials` → `rules`. @param {Parameter} parameter */
function roomOf(parameter) {
  return parameter.scope.split(".")[0];
}
