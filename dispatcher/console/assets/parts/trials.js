/**
 * A candidate tuning on trial: shadow (plans beside, offers nothing) and canary (decides in some hours, ends by
 * itself if it harms). Both begin with what is drafted.
 * @module
 */

import { h } from "../core/dom.js";
import { Canary } from "./canary.js";
import { dialog, field } from "./dialog.js";
import { overrides } from "./draft.js";
import { figure } from "./figure.js";
import { diffTable } from "./parameter_words.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, dollars, number, reading, requestLink, section, words } from "./view.js";

/** The side of the page with shadow and canary. */
export class Trials {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {import("./draft.js").Draft} draft
   */
  constructor(context, draft) {
    this.context = context;
    this.draft = draft;
    this.shadow = h("div", { class: "page-part" });
    this.canary = new Canary(context, () => this.values());
    this.trouble = h("div", {});
    this.node = h("div", { class: "page-part" }, this.trouble, this.shadow, this.canary.node);
    this.known = false;
    /** @type {import("./draft.js").Parameter[]} */
    this.parameters = [];
    this.etag = "";
    this.version = 0;
    this.keys = [
      { key: "s", says: "Shadow what is drafted", act: () => void this.start() },
      { key: "c", says: "Plan a canary of what is drafted", act: () => void this.canary.plan() },
    ];
  }

  /** What is drafted is known by what stands: nothing begins before that was read. */
  read() {
    const { api, signal } = this.context;
    return reading(this.trouble, signal, () => api.get("/tuning", {}, signal), (tuning) => {
      this.parameters = tuning.parameters;
      this.draft.settle(tuning.parameters);
      this.known = true;
      void Promise.all([this.readShadow(), this.canary.read()]);
      return "";
    });
  }

  /** What is drafted, whole; null: nothing is. */
  values() {
    return this.draft.values.size ? overrides(this.parameters, this.draft.values) : null;
  }

  readShadow() {
    const { api, signal } = this.context;
    return reading(this.shadow, signal, () => api.call("GET", "/tuning/shadow", { signal }), (found) => {
      this.etag = found.etag;
      this.version = found.data.version;
      return this.drawShadow(found.data);
    });
  }

  /** @param {any} view */
  drawShadow(view) {
    const { zone, clock } = this.context, { shadow, found } = view;
    if (!shadow) {
      return section(
        "Shadow",
        button("Shadow what is drafted …", () => this.start(), { title: "s" }),
        h(
          "p",
          { class: "soft" },
          "No candidate. Draft changes under Parameters, then let them plan each batch beside what is in force: nothing of it is offered.",
        ),
      );
    }
    const sure = found.moved + found.gained + found.lost - found.anyway;
    return section(
      "Shadow",
      button("Take it away …", () => this.end(), { class: "quiet" }),
      h("p", {}, `Since ${zone.moment(Date.parse(shadow.at), clock.now())}, by ${shadow.by}: “${shadow.reason}”`),
      diffTable(view.changes, "Changes of the shadow"),
      view.unseen.length > 0 &&
        h("p", { class: "hint" }, `A batch beside the other cannot show: ${view.unseen.join(", ")}.`),
      h(
        "div",
        { class: "figures" },
        figure({
          value: number(found.batches),
          says: `batches; ${found.skipped} skipped, for one was busy; ${found.failed} failed`,
          tone: found.failed ? "warn" : "",
        }),
        figure({ value: number(found.moved), says: `of ${number(found.requests)} would move` }),
        figure({ value: number(found.gained), says: "would gain a vendor", tone: found.gained ? "good" : "" }),
        figure({ value: number(found.lost), says: "would lose theirs", tone: found.lost ? "bad" : "" }),
        figure({ value: number(Math.max(0, sure)), says: `by the change; ${number(found.anyway)} by chance` }),
        figure({ value: dollars(found.cents), says: "dearer, all together" }),
      ),
      this.batches(found.recent),
    );
  }

  /** @param {any[]} recent */
  batches(recent) {
    const { context } = this;
    const rows = recent.flatMap((batch) => batch.rows.map((/** @type {any} */ row) => ({ ...row, at: batch.at })));
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "What the shadow would have planned",
      file: "shadow",
      rows,
      empty: "No batch has differed yet.",
      columns: [
        {
          name: "at",
          says: "Batch",
          value: (row) => row.at,
          show: (row) => context.zone.moment(Date.parse(row.at), context.clock.now()),
        },
        {
          name: "request_id",
          says: "Request",
          value: (row) => row.request_id,
          show: (row) => requestLink(context, row.request_id),
        },
        { name: "kind", says: "Would", value: (row) => row.kind },
        { name: "instead_of", says: "From", value: (row) => row.instead_of || "none" },
        { name: "vendor", says: "To", value: (row) => row.vendor || "none" },
        { name: "minutes", says: "Minutes", value: (row) => row.minutes, end: true },
        { name: "cents", says: "Price", value: (row) => row.cents, show: (row) => dollars(row.cents), end: true },
        { name: "reason", says: "Because of", value: (row) => words(row.reason) },
        { name: "anyway", says: "Chance", value: (row) => row.anyway ? "moves anyway" : "" },
      ],
    };
    return h(
      "div",
      { class: "page-part" },
      h("div", { class: "row" }, h("h3", {}, "Of the last batches"), h("span", { class: "grow" }), csvButton(options)),
      table(options),
    );
  }

  async start() {
    const values = this.values();
    if (!values) return toast("Nothing is drafted: change parameters first.");
    const done = await dialog({
      title: "Shadow what is drafted",
      wide: true,
      body: [
        drafted(this.draft, this.parameters),
        field("Reason", h("input", { name: "reason", required: true, maxLength: 200, autofocus: true })),
      ],
      act: "Begin",
      run: (form) =>
        this.context.api.put(
          "/tuning/shadow",
          { values, reason: form.get("reason") },
          this.version ? { ifMatch: this.etag } : {},
        ),
    });
    if (done) await this.readShadow();
  }

  async end() {
    const done = await dialog({
      title: "Take the shadow away",
      body: h("p", {}, "What it has found goes with it; what is in force stays as it is."),
      act: "Take it away",
      run: () => this.context.api.call("DELETE", "/tuning/shadow", { ifMatch: this.etag }),
    });
    if (done) await this.readShadow();
  }
}

/** @param {import("./draft.js").Draft} draft @param {import("./draft.js").Parameter[]} parameters */
function drafted(draft, parameters) {
  return diffTable(
    draft.changes(parameters).map(({ parameter, before, after }) => ({
      name: parameter.name,
      unit: parameter.unit,
      before,
      after,
    })),
  );
}
