/**
 * One episode: its sequence, requests, tasks, barriers, notes; and the patient's name, only on demand.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { choice, dialog, field } from "./dialog.js";
import { figure } from "./figure.js";
import { Messages } from "./messages.js";
import { sequence } from "./sequence.js";
import { stateMark } from "./state.js";
import { csvButton, table } from "./table.js";
import { button, every, heading, reading, requestLink, section, words } from "./view.js";
import { about } from "../core/tasks.js";
import { showPatient } from "./patient.js";
import { claim, ends, finish, mayAct } from "./tasks.js";
import { steps } from "./episode_steps.js";

const EVERY_MS = 20_000;
const ENDED = new Set(["completed", "cancelled", "failed", "no_show", "unmatched"]);

const BARRIERS = [
  "patient_not_ready",
  "no_one_at_home",
  "transport_refused",
  "wrong_address",
  "authorization",
  "sequence",
  "not_called",
  "no_vendor",
  "vendor_failed",
  "equipment_unavailable",
  "weather",
  "other",
];

/** Everything about one episode. */
export class Episode {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   * @param {string} id
   */
  constructor(root, context, id) {
    this.context = context;
    this.id = id;
    this.body = h("div", { class: "page-part" });
    this.messages = new Messages(context, { id, kind: "episodes", says: "Messages among who cares for it" });
    root.append(
      heading(
        id,
        h("a", { class: "button", href: context.href("care") }, "All episodes"),
        button("Add a note …", () => this.note(), { title: "n" }),
        button("Show the patient's name …", () => this.showPatient(), { title: "i" }),
      ),
      this.body,
      this.messages.node,
    );
    /** @type {any} */
    this.episode = null;
    void this.read();
    every(() => this.read(), EVERY_MS, context.signal);
    this.stop = bind([
      { key: "Escape", says: "All episodes", act: () => context.go("care") },
      { key: "n", says: "Add a note", act: () => void this.note() },
      { key: "t", says: "Write a message", act: () => this.messages.focus() },
      { key: "i", says: "Show the patient's name (recorded)", act: () => void this.showPatient() },
      { key: "r", says: "Read again", act: () => void this.read() },
    ]);
  }

  read() {
    const { api, signal } = this.context;
    return reading(this.body, signal, () => api.get(`/episodes/${this.id}`, {}, signal), (found) => {
      this.episode = found;
      return this.draw(found);
    });
  }

  /** @param {any} episode */
  draw(episode) {
    const { context } = this, done = ended(episode), count = episode.requests.length;
    const risk = (episode.at_risk || []).length, tasks = episode.tasks || [];
    return [
      h(
        "div",
        { class: "figures" },
        figure({ value: `${done} of ${count}`, says: "requests ended" }),
        figure({ value: risk, says: "at risk", tone: risk ? "bad" : "good" }),
        figure({ value: tasks.length, says: "tasks open", tone: tasks.length ? "warn" : "" }),
        figure({ value: (episode.owners || []).map(words).join(", ") || "–", says: "owns it" }),
      ),
      section("In sequence", null, sequence(episode, context)),
      this.requests(episode),
      h("div", { class: "columns" }, this.tasks(tasks), this.barriers(episode), this.notes(episode.notes || [])),
      steps(episode.timeline || [], this.context),
    ];
  }

  /** @param {any} episode */
  requests(episode) {
    const { context } = this, now = context.clock.now();
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Requests of the episode",
      file: `${this.id}-requests`,
      rows: episode.requests,
      tone: (row) => row.at_risk ? "bad" : "",
      columns: [
        { name: "id", says: "Request", value: (row) => row.id, show: (row) => requestLink(context, row.id) },
        { name: "kind", says: "What", value: (row) => words(row.kind || "") },
        {
          name: "state",
          says: "State",
          value: (row) => row.state || "forgotten",
          show: (row) => stateMark(row.state || "cancelled", words(row.state || "forgotten")),
        },
        { name: "status", says: "Reported", value: (row) => words(row.status || "") },
        {
          name: "start",
          says: "Start",
          value: (row) => row.match?.start_at || row.earliest_at || "",
          show: (row) => {
            const at = row.match?.start_at || row.earliest_at;
            return at ? (row.match ? "" : "from ") + context.zone.moment(Date.parse(at), now) : "–";
          },
        },
        { name: "vendor", says: "Vendor", value: (row) => row.match?.vendor_id || "" },
        { name: "owner", says: "Whose work", value: (row) => words(row.owner || "") },
        { name: "waits_for", says: "Waits for", value: (row) => (row.waits_for || []).map(words).join(", ") },
        { name: "at_risk", says: "At risk", value: (row) => words(row.at_risk || "") },
      ],
    };
    return section("Requests", csvButton(options), table(options));
  }

  /** @param {any[]} tasks */
  tasks(tasks) {
    const { context } = this, now = context.clock.now();
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Tasks",
      file: `${this.id}-tasks`,
      rows: tasks,
      empty: "Nobody has anything to do.",
      tone: (row) => row.due_at && Date.parse(row.due_at) < now ? "bad" : "",
      columns: [
        { name: "kind", says: "Task", value: (row) => words(row.kind) },
        {
          name: "request_id",
          says: "Of",
          value: (row) => row.request_id,
          show: (row) => requestLink(context, row.request_id),
        },
        { name: "owner", says: "Whose", value: (row) => row.claimed_by || words(row.owner) },
        {
          name: "due_at",
          says: "Due",
          value: (row) => row.due_at || "",
          show: (row) => row.due_at ? context.zone.moment(Date.parse(row.due_at), now) : "–",
        },
        {
          name: "act",
          says: "Act",
          show: (row) => this.acts(row),
        },
      ],
    };
    return section("Tasks", csvButton(options), table(options));
  }

  /** What may be done about a task. @param {any} task */
  acts(task) {
    const of = `${words(task.kind)} of ${about(task)}`;
    const act = (/** @type {string} */ says, /** @type {typeof claim} */ does) =>
      button(says, async () => {
        await does(task, this.context);
        await this.read();
      }, { "aria-label": `${says.replace("…", "")} ${of}` });
    if (!mayAct(task, this.context)) return "";
    return h("span", { class: "row" }, !task.claimed_by && act("Claim", claim), act(ends(task), finish));
  }

  /** @param {any} episode */
  barriers(episode) {
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Barriers",
      file: `${this.id}-barriers`,
      rows: episode.barriers || [],
      empty: "Nothing has kept a request of it from its service.",
      columns: [
        {
          name: "request_id",
          says: "Request",
          value: (row) => row.request_id,
          show: (row) => requestLink(this.context, row.request_id),
        },
        { name: "state", says: "Ended", value: (row) => row.state, show: (row) => stateMark(row.state) },
        {
          name: "code",
          says: "Barrier",
          value: (row) =>
            row.barrier ? words(row.barrier.code) + (row.barrier.suggested ? " (suggested)" : "") : "not said",
        },
        {
          name: "act",
          says: "Act",
          show: (row) => button("Say why …", () => this.say(row), { "aria-label": `Say why ${row.request_id} ended` }),
        },
      ],
    };
    return section("Barriers", csvButton(options), table(options));
  }

  /** @param {any} row */
  async say(row) {
    const done = await dialog({
      title: `Why ${row.request_id} ended as ${words(row.state)}`,
      body: [
        field("Barrier", choice("code", BARRIERS.map((each) => [each, words(each)]), row.barrier?.code || "other")),
        field(
          "Note",
          h("textarea", { name: "note", maxLength: 1000 }),
          "Encrypted at rest; others of this market's staff read it.",
        ),
      ],
      act: "Record it",
      run: (form) =>
        this.context.api.post(`/requests/${row.request_id}/barrier`, {
          code: form.get("code"),
          note: form.get("note"),
        }),
    });
    if (done) await this.read();
  }

  /** @param {any[]} notes */
  notes(notes) {
    const { zone, clock } = this.context;
    return section(
      "Notes",
      null,
      notes.length
        ? h(
          "ol",
          { class: "timeline" },
          notes.map((each) =>
            h(
              "li",
              {},
              h("time", {}, zone.moment(Date.parse(each.at), clock.now())),
              h("span", {}, h("strong", {}, each.by), `: ${each.text}`),
            )
          ),
        )
        : h("p", { class: "soft" }, "No notes yet. n adds one."),
    );
  }

  async note() {
    const done = await dialog({
      title: `A note on ${this.id}`,
      body: field(
        "Note",
        h("textarea", { name: "text", required: true, maxLength: 1000, autofocus: true }),
        "Encrypted at rest; no vendor reads it.",
      ),
      act: "Add it",
      run: (form) => this.context.api.post(`/episodes/${this.id}/notes`, { text: form.get("text") }),
    });
    if (done) await this.read();
  }

  showPatient() {
    const [request] = this.episode?.requests || [];
    if (request) void showPatient(request.id, this.context);
  }
}

/** How many of its requests have ended. @param {any} episode */
export function ended(episode) {
  return episode.requests.filter((/** @type {any} */ each) => !each.state || ENDED.has(each.state)).length;
}
