/**
 * Profiles of tuning (storm, holiday): what each lays over what stands, and the calendar by which it does.
 * @module
 */

import { h } from "../core/dom.js";
import { choice, dialog, field } from "./dialog.js";
import { asText } from "./draft.js";
import { figure } from "./figure.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, reading, section } from "./view.js";
import { clockOf, daysOf, timeOf } from "./profile_times.js";

/** The side of the page with profiles and their calendar. */
export class Profiles {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {import("./draft.js").Draft} draft
   */
  constructor(context, draft) {
    this.context = context;
    this.draft = draft;
    this.node = h("div", { class: "page-part" });
    /** @type {any} */
    this.view = null;
    this.etag = "";
    /** @type {any[]} */
    this.parameters = [];
    this.known = false;
    this.keys = [
      { key: "n", says: "A new profile", act: () => void this.edit(null) },
      { key: "c", says: "Add to the calendar", act: () => void this.time() },
    ];
  }

  read() {
    const { api, signal } = this.context;
    const all = () => Promise.all([api.call("GET", "/tuning/profiles", { signal }), api.get("/tuning", {}, signal)]);
    return reading(this.node, signal, all, ([found, tuning]) => {
      this.view = found.data;
      this.etag = found.etag;
      this.parameters = tuning.parameters;
      this.draft.settle(tuning.parameters);
      this.known = true;
      return this.draw(found.data);
    });
  }

  /** @param {any} view */
  draw(view) {
    const { zone, clock } = this.context;
    const moment = (/** @type {string | null} */ at) => at ? zone.moment(Date.parse(at), clock.now()) : "";
    return [
      h(
        "div",
        { class: "figures" },
        figure({
          value: view.standing || "normal",
          says: view.since ? `stands since ${moment(view.since)}` : "stands now",
          tone: view.standing && view.standing !== "normal" ? "warn" : "",
        }),
        view.due !== view.standing &&
          figure({ value: view.due || "normal", says: "is due by the calendar, within seconds", tone: "warn" }),
        figure({
          value: view.next_at ? view.next || "normal" : "–",
          says: view.next_at ? `from ${moment(view.next_at)}, ${zone.name}` : "nothing comes within two weeks",
        }),
      ),
      view.by_hand &&
      h(
        "p",
        { class: "trouble", role: "status" },
        `The tuning was changed by hand since (version ${view.by_hand.version}, by ${view.by_hand.by}): that stands until the profile ends.`,
      ),
      this.profiles(view.profiles),
      this.calendar(view.calendar),
    ];
  }

  /** @param {any[]} profiles */
  profiles(profiles) {
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Profiles",
      file: "tuning-profiles",
      rows: profiles,
      empty: "No profile. Draft changes under Parameters, then make a profile of them here.",
      columns: [
        { name: "name", says: "Name", value: (row) => row.name, show: (row) => h("strong", {}, row.name) },
        {
          name: "values",
          says: "Lays over",
          value: (row) =>
            Object.entries(row.values).map(([name, value]) => `${name} ${asText(/** @type {any} */ (value))}`).join(
              "; ",
            ),
        },
        { name: "about", says: "About", value: (row) => row.about },
        { name: "by", says: "By", value: (row) => row.by },
        {
          name: "act",
          says: "Act",
          show: (row) => [
            button("Change …", () => this.edit(row), { "aria-label": `Change ${row.name}` }),
            " ",
            button("Forget …", () => this.forget(row), { class: "quiet", "aria-label": `Forget ${row.name}` }),
          ],
        },
      ],
    };
    return section(
      "Profiles",
      [button("New …", () => this.edit(null), { title: "n" }), csvButton(options)],
      table(options),
    );
  }

  /** @param {any | null} row */
  async edit(row) {
    const values = row?.values || Object.fromEntries(this.draft.values); // and nothing of what stands already
    const text = Object.entries(values).map(([name, value]) => `${name} = ${asText(/** @type {any} */ (value))}`).join(
      "\n",
    );
    const name = h("input", {
      name: "name",
      required: true,
      pattern: "[A-Za-z0-9_\\-]{1,64}",
      value: row?.name || "",
      readOnly: Boolean(row),
      autofocus: true,
    });
    const done = await dialog({
      title: row ? `Change the profile ${row.name}` : "A new profile",
      wide: true,
      body: [
        field("Name", name),
        field(
          "What it lays over, a line each",
          h("textarea", { name: "values", required: true, rows: 8, class: "mono", value: text }),
          "price_weight = 2",
        ),
        field("About", h("input", { name: "about", maxLength: 200, value: row?.about || "" })),
      ],
      act: "Save",
      run: (form) =>
        this.put(`/tuning/profiles/${form.get("name")}`, {
          values: this.parsed(String(form.get("values"))),
          about: form.get("about"),
        }),
    });
    if (done) await this.read();
  }

  /** Lines `name = value` as values. @param {string} text */
  parsed(text) {
    const known = new Map(this.parameters.map((each) => [each.name, each]));
    /** @type {Record<string, any>} */
    const values = {};
    for (const line of text.split("\n").map((each) => each.trim()).filter(Boolean)) {
      const [name, value] = line.split("=").map((each) => each.trim());
      const parameter = known.get(name);
      if (!parameter || value === undefined) {
        throw new Error(`“${line}” sets no parameter.\nMaybe write: price_weight = 2`);
      }
      values[name] = Array.isArray(parameter.default) ? value.split(/[\s,]+/).filter(Boolean) : Number(value);
      if (Number.isNaN(values[name])) throw new Error(`${name} is “${value}”, which is no number.`);
    }
    return values;
  }

  /** @param {string} path @param {any} body */
  put(path, body) {
    return this.context.api.put(path, body, this.view.version ? { ifMatch: this.etag } : {});
  }

  /** @param {any} row */
  async forget(row) {
    const done = await dialog({
      title: `Forget the profile ${row.name}`,
      body: h("p", {}, "A profile that the calendar names cannot be forgotten: take it out there first."),
      act: "Forget it",
      grave: true,
      run: () => this.context.api.call("DELETE", `/tuning/profiles/${row.name}`, { ifMatch: this.etag }),
    });
    if (done) await this.read();
  }

  /** @param {any[]} times */
  calendar(times) {
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Calendar",
      file: "tuning-calendar",
      rows: times,
      empty: "The calendar is empty: what is applied stands at every hour.",
      columns: [
        { name: "profile", says: "Profile", value: (row) => row.profile, show: (row) => h("strong", {}, row.profile) },
        { name: "days", says: "Days", value: (row) => daysOf(row) },
        {
          name: "hours",
          says: "Hours",
          value: (row) => `${clockOf(row.from_minute ?? 0)}–${clockOf(row.until_minute ?? 1440)}`,
        },
        {
          name: "act",
          says: "Act",
          show: (row) =>
            button(
              "Take out",
              () => this.replace(times.filter((each) => each !== row), `${row.profile} is out of the calendar.`),
              {
                class: "quiet",
                "aria-label": `Take ${row.profile} out: ${daysOf(row)}`,
              },
            ),
        },
      ],
    };
    return section(
      "Calendar",
      [button("Add …", () => this.time(), { title: "c" }), csvButton(options)],
      h(
        "p",
        { class: "soft" },
        `By the market's clock, ${this.context.zone.name}; of two times that cover a moment the first decides.`,
      ),
      table(options),
    );
  }

  async time() {
    const names = this.view.profiles.map((/** @type {any} */ each) => [each.name, each.name]);
    if (!names.length) return toast("There is no profile yet: make one first.");
    const today = this.context.zone.date(this.context.clock.now());
    const done = await dialog({
      title: "When a profile stands",
      body: [
        field("Profile", choice("profile", names)),
        field(
          "Days",
          choice("kind", [["days", "these days"], ["rule", "again and again"], ["holidays", "public holidays"]]),
        ),
        field("These days", h("input", { name: "days", value: today }), "2026-12-24, 2026-12-31"),
        field(
          "Again and again",
          h("input", { name: "rule", value: "FREQ=WEEKLY;BYDAY=SA,SU" }),
          "An RFC 5545 rule, from today on.",
        ),
        field("Holidays of", h("input", { name: "holidays", value: "US" }), "A country, or its part: US-NY"),
        h(
          "div",
          { class: "row" },
          field("From", h("input", { type: "time", name: "from", value: "00:00" })),
          field("Until", h("input", { name: "until", value: "24:00", pattern: "([01][0-9]|2[0-4]):[0-5][0-9]" })),
        ),
      ],
      act: "Add it",
      run: (form) => this.send([...this.view.calendar, timeOf(form, today)]),
    });
    if (done) await this.read();
  }

  /** @param {any[]} times */
  send(times) {
    return this.put("/tuning/calendar", { times });
  }

  /** @param {any[]} times @param {string} says */
  async replace(times, says) {
    const before = this.view.calendar;
    await this.send(times);
    await this.read();
    toast(says, { undo: () => void this.send(before).then(() => this.read()) });
  }
}
