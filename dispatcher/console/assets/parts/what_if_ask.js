/**
 * Asking a what-if: which change, against which requests.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { showTrouble } from "./dialog.js";
import { asText, Draft, overrides, parsed, problemOf } from "./draft.js";
import { diffTable } from "./parameter_words.js";
import { button, heading, reading, section } from "./view.js";

/** The form. */
export class Ask {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    this.draft = new Draft(context.market);
    /** @type {import("./draft.js").Parameter[]} */
    this.parameters = [];
    this.settings = h("div", { class: "page-part" });
    this.body = h("div", { class: "page-part" });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    const asked = context.query.get("against") || "", isDay = /^\d{4}-\d\d-\d\d$/.test(asked);
    this.fields = {
      rules: text("rules_off", "credentials"),
      pause: text("pause", "v1 v2"),
      resume: text("resume", "v3"),
      capacity: h("input", { type: "number", min: "-100", max: "400", step: "5", value: "0" }),
      against: h(
        "select",
        {},
        h("option", { value: "now" }, "the requests of now"),
        h("option", { value: "day" }, "a day that is stored"),
        h("option", { value: "digest" }, "a saved decision"),
      ),
      digest: text("digest", "its digest", isDay ? "" : asked),
      day: h("input", { type: "date", value: isDay ? asked : context.zone.date(context.clock.now()) }),
    };
    /** What only one kind of `against` asks for. @type {Record<string, HTMLElement>} */
    this.besides = {
      day: labelled(`Day, ${context.zone.name}`, this.fields.day),
      digest: labelled("Decision", this.fields.digest),
    };
    this.fields.against.addEventListener("change", () => this.chosen());
    const run = h("button", { type: "submit", class: "primary" }, "Ask");
    const form = h(
      "form",
      { class: "page-part" },
      this.body,
      this.trouble,
      h("div", { class: "row" }, h("span", { class: "grow" }), run),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send(run);
    });
    root.append(heading("What if …", h("a", { class: "button", href: context.href("what-if") }, "All what-ifs")), form);
    if (asked) this.fields.against.value = isDay ? "day" : "digest";
    this.chosen();
    void this.read();
    this.stop = bind([
      { key: "Escape", says: "All what-ifs", act: () => context.go("what-if") },
      { key: "Ctrl+Enter", says: "Ask", act: () => form.requestSubmit() },
    ]);
  }

  read() {
    const { api, signal } = this.context;
    return reading(this.body, signal, () => api.get("/tuning", {}, signal), (tuning) => {
      this.parameters = tuning.parameters;
      this.draft.settle(tuning.parameters);
      return this.draw();
    });
  }

  draw() {
    const { fields } = this;
    this.drawSettings();
    const rules = [
      ...new Set(this.parameters.filter((each) => each.scope.startsWith("rules.")).map((each) => each.scope.slice(6))),
    ];
    const known = h("datalist", { id: "known-rules" }, rules.map((each) => h("option", { value: each })));
    fields.rules.setAttribute("list", "known-rules");
    return [
      section("Other settings", null, this.settings, this.adder()),
      section(
        "Other rules, vendors, capacity",
        null,
        h(
          "div",
          { class: "columns" },
          labelled(
            "Rules switched off",
            fields.rules,
            "What is asked of vendors, and is not to be; several with a space between.",
          ),
          labelled("Vendors paused", fields.pause, "Ids, with a space between."),
          labelled("Pauses ended", fields.resume, "Ids of vendors that are paused now."),
          labelled("Capacity, % more or less", fields.capacity, "−20: a fifth less of all that is posted."),
        ),
        known,
      ),
      section(
        "Against",
        null,
        h(
          "div",
          { class: "row" },
          labelled("Requests", fields.against),
          this.besides.day,
          this.besides.digest,
        ),
        h(
          "p",
          { class: "soft" },
          "Both sides are solved alike. Today's settings are solved twice, with two seeds: what differs there is noise, and is told apart.",
        ),
      ),
    ];
  }

  /** Only what the choice asks for is asked. */
  chosen() {
    const { against, digest, day } = this.fields;
    for (const [name, field] of Object.entries(this.besides)) field.hidden = name !== against.value;
    digest.required = against.value === "digest";
    day.required = against.value === "day";
  }

  drawSettings() {
    const changes = this.draft.changes(this.parameters);
    fill(
      this.settings,
      changes.length
        ? [
          diffTable(
            changes.map((each) => ({
              name: each.parameter.name,
              unit: each.parameter.unit,
              before: each.before,
              after: each.after,
            })),
          ),
          h(
            "div",
            { class: "row" },
            changes.map((each) =>
              button(`Leave ${each.parameter.name} as it is`, () => {
                this.draft.set(each.parameter, each.before);
                this.drawSettings();
              }, { class: "quiet small" })
            ),
          ),
        ]
        : h("p", { class: "soft" }, "As they stand. Add one here, or draft several under Tuning."),
    );
  }

  adder() {
    const name = h("input", { list: "known-parameters", placeholder: "price_weight" });
    const value = h("input", { placeholder: "2" });
    const trouble = h("span", { class: "hint", role: "alert" });
    const add = () => {
      const parameter = this.parameters.find((each) => each.name === name.value.trim());
      const problem = parameter ? problemOf(parameter, value.value) : `“${name.value}” is no parameter`;
      fill(trouble, problem);
      if (problem || !parameter) return;
      this.draft.set(parameter, parsed(parameter, value.value));
      this.drawSettings();
      name.value = value.value = "";
      name.focus();
    };
    name.addEventListener("change", () => {
      const parameter = this.parameters.find((each) => each.name === name.value.trim());
      value.placeholder = parameter ? `now ${asText(parameter.value) || "none"}` : "2";
    });
    const list = h(
      "datalist",
      { id: "known-parameters" },
      this.parameters.map((each) => h("option", { value: each.name }, each.summary)),
    );
    return h(
      "div",
      { class: "row foot" },
      labelled("Parameter", name),
      labelled("Its value", value),
      button("Add", add),
      trouble,
      list,
    );
  }

  /** `now`, a day, or a digest, as the service takes it. */
  against() {
    const { against, day, digest } = this.fields;
    return against.value === "day" ? day.value : against.value === "digest" ? digest.value.trim() : "now";
  }

  /** @param {HTMLButtonElement} run */
  async send(run) {
    const { fields, context } = this;
    const drafted = new Map(this.draft.changes(this.parameters).map((each) => [each.parameter.name, each.after]));
    const change = {
      values: Object.fromEntries(drafted),
      rules_off: ids(fields.rules.value),
      pause: ids(fields.pause.value),
      resume: ids(fields.resume.value),
      capacity_percent: Number(fields.capacity.value) || 0,
    };
    run.disabled = true;
    this.trouble.hidden = true;
    try {
      const against = this.against();
      const view = await context.api.post("/what-if", { change, against }, { signal: context.signal });
      context.go("what-if", [view.id]);
    } catch (error) {
      showTrouble(this.trouble, error);
    } finally {
      run.disabled = false;
    }
  }
}

/** The whole set that an applied what-if makes. @param {import("./draft.js").Parameter[]} parameters @param {Record<string, any>} values */
export function laidOver(parameters, values) {
  return { ...overrides(parameters, new Map()), ...values };
}

/** @param {string} name @param {string} placeholder @param {string} [value] */
function text(name, placeholder, value = "") {
  return h("input", { name, placeholder, value });
}

/** @param {string} value */
function ids(value) {
  return value.split(/[\s,]+/).filter(Boolean);
}

/** @param {string} label @param {HTMLElement} control @param {string} [hint] */
function labelled(label, control, hint) {
  return h(
    "label",
    { class: "field" },
    h("span", { class: "field-label" }, label),
    control,
    hint && h("span", { class: "hint" }, hint),
  );
}
