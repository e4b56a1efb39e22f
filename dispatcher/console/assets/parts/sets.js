/**
 * Objectives in words as sliders, with the parameters behind each; and sets of overrides saved under a name.
 * @module
 */

import { fill, h, settled } from "../core/dom.js";
import { dialog, field } from "./dialog.js";
import { asText, overrides } from "./draft.js";
import { diffTable } from "./parameter_words.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, reading, section, words } from "./view.js";

/** The side of the page with sliders and sets. */
export class Sets {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {import("./draft.js").Draft} draft
   */
  constructor(context, draft) {
    this.context = context;
    this.draft = draft;
    this.node = h("div", { class: "page-part" });
    this.moved = h("div", { class: "page-part", "aria-live": "polite" });
    /** @type {Record<string, number>} */
    this.steps = {};
    /** @type {any[]} */
    this.parameters = [];
    /** @type {Record<string, import("./draft.js").Value> | null} what the moved sliders make of the tuning */
    this.values = null;
    this.known = false;
    this.keys = [{ key: "s", says: "Save what is drafted as a set", act: () => void this.save() }];
  }

  read() {
    const { api, signal } = this.context;
    const all = () =>
      Promise.all([
        api.get("/tuning", {}, signal),
        api.get("/tuning/sliders", {}, signal),
        api.get("/tuning/sets", {}, signal),
      ]);
    return reading(this.node, signal, all, ([tuning, sliders, sets]) => {
      this.parameters = tuning.parameters;
      this.draft.settle(tuning.parameters);
      this.known = true;
      return [this.sliders(sliders.sliders), this.sets(sets.sets)];
    });
  }

  /** @param {any[]} sliders */
  sliders(sliders) {
    this.steps = {};
    return section(
      "What matters more",
      null,
      h(
        "p",
        { class: "soft" },
        "A slider moves the parameters behind it together; in the middle they are at their defaults. Nothing is in force before it is applied.",
      ),
      h("div", { class: "columns" }, sliders.map((each) => this.slider(each))),
      this.moved,
    );
  }

  /** @param {any} slider */
  slider(slider) {
    const says = (/** @type {number | null} */ step) =>
      step === null
        ? "parameters set one by one"
        : step === 0
        ? "as by default"
        : `${Math.abs(step)} of 10 to “${step < 0 ? slider.low : slider.high}”`;
    const input = h("input", {
      type: "range",
      min: "-10",
      max: "10",
      step: "1",
      value: String(slider.step ?? 0),
      "aria-label": `${slider.low} to ${slider.high}`,
      "aria-valuetext": says(slider.step),
      oninput: () => {
        this.steps[slider.name] = Number(input.value);
        input.setAttribute("aria-valuetext", says(Number(input.value)));
        fill(now, says(Number(input.value)));
        this.move();
      },
    });
    const now = h("span", { class: "soft small" }, says(slider.step));
    return h(
      "div",
      { class: "panel slider" },
      h("div", { class: "ends" }, h("span", {}, slider.low), h("span", {}, slider.high)),
      input,
      now,
      h("p", { class: "hint" }, slider.summary),
      h(
        "details",
        {},
        h("summary", {}, `${slider.parameters.length} parameter${slider.parameters.length === 1 ? "" : "s"} behind it`),
        table({
          label: `Parameters behind ${words(slider.name)}`,
          file: `slider-${slider.name}`,
          rows: slider.parameters,
          columns: [
            {
              name: "name",
              says: "Parameter",
              value: (/** @type {any} */ row) => row.name,
              show: (/** @type {any} */ row) => h("span", { class: "mono" }, row.name),
            },
            { name: "low", says: "Left", value: (/** @type {any} */ row) => row.low, end: true },
            { name: "middle", says: "Middle", value: (/** @type {any} */ row) => row.middle, end: true },
            { name: "high", says: "Right", value: (/** @type {any} */ row) => row.high, end: true },
            { name: "value", says: "Now", value: (/** @type {any} */ row) => asText(row.value), end: true },
          ],
        }),
      ),
    );
  }

  move = settled(() => void this.moving());

  async moving() {
    const { api, signal } = this.context;
    const values = overrides(this.parameters, this.draft.values);
    await reading(
      this.moved,
      signal,
      () => api.post("/tuning/sliders", { steps: this.steps, values }, { signal }),
      (found) => {
        this.values = found.values;
        return [
          diffTable(found.changes),
          h(
            "div",
            { class: "row" },
            h("span", { class: "grow" }),
            button("Take it into the draft", () => this.take(found.values), {
              class: "primary",
              disabled: !found.changes.length,
            }),
          ),
        ];
      },
    );
  }

  /** @param {Record<string, import("./draft.js").Value>} values */
  take(values) {
    this.draft.take(this.parameters, values);
    toast(`${this.draft.values.size} changes are drafted: review and apply them.`);
    this.context.go("tuning");
  }

  /** @param {any[]} sets */
  sets(sets) {
    const { zone, clock } = this.context;
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Saved sets",
      file: "tuning-sets",
      rows: sets,
      empty: "No set is saved. Save what is drafted, or what stands, under a name: it can be drafted again in one act.",
      columns: [
        { name: "name", says: "Name", value: (row) => row.name, show: (row) => h("strong", {}, row.name) },
        { name: "about", says: "About", value: (row) => row.about },
        {
          name: "values",
          says: "Sets",
          value: (row) =>
            Object.entries(row.values).map(([name, value]) => `${name} ${asText(/** @type {any} */ (value))}`).join(
              "; ",
            ) || "every default",
        },
        { name: "by", says: "By", value: (row) => row.by },
        {
          name: "at",
          says: "When",
          value: (row) => row.at,
          show: (row) => zone.moment(Date.parse(row.at), clock.now()),
        },
        {
          name: "act",
          says: "Act",
          show: (row) => [
            button("Draft it", () => this.take(row.values), { "aria-label": `Draft ${row.name}` }),
            " ",
            button("Forget …", () => this.forget(row), { class: "quiet", "aria-label": `Forget ${row.name}` }),
          ],
        },
      ],
    };
    return section(
      "Saved sets",
      [button("Save …", () => this.save(), { title: "s" }), csvButton(options)],
      table(options),
    );
  }

  async save() {
    const values = this.values || overrides(this.parameters, this.draft.values);
    const done = await dialog({
      title: "Save a set",
      body: [
        h("p", {}, `${Object.keys(values).length} overrides, with what is drafted. It is not in force by that.`),
        field(
          "Name",
          h("input", { name: "name", required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autofocus: true }),
          "Letters, digits, - and _; an existing one is replaced.",
        ),
        field("About", h("input", { name: "about", maxLength: 200 })),
      ],
      act: "Save",
      run: (form) => this.put(String(form.get("name")), { values, about: form.get("about") }),
    });
    if (done) await this.read();
  }

  /** New, or over what stands. @param {string} name @param {any} body */
  async put(name, body) {
    const sets = (await this.context.api.get("/tuning/sets")).sets;
    const old = sets.find((/** @type {any} */ each) => each.name === name);
    return this.context.api.put(`/tuning/sets/${name}`, body, old ? { ifMatch: `"${old.version}"` } : {});
  }

  /** @param {any} row */
  async forget(row) {
    const done = await dialog({
      title: `Forget the set ${row.name}`,
      body: h("p", {}, "What is in force stays as it is."),
      act: "Forget it",
      grave: true,
      run: () => this.context.api.call("DELETE", `/tuning/sets/${row.name}`, { ifMatch: `"${row.version}"` }),
    });
    if (done) await this.read();
  }
}
