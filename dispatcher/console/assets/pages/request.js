/**
 * One request: how it stands, why, and its history as a story.
 * @module
 */

import { fill, h, paced, settled } from "../core/dom.js";
import { keepingFocus } from "../core/focus.js";
import { bind } from "../core/keys.js";
import { story } from "../core/story.js";
import { showTrouble } from "../parts/dialog.js";
import { empty } from "../parts/figure.js";
import { actsOn } from "../parts/acts.js";
import { Messages } from "../parts/messages.js";
import { stateMark } from "../parts/state.js";
import { atRisk, RISKS, why } from "../parts/words.js";
import { whyNoVendor, whyThisVendor } from "../parts/why.js";
import { showPatient } from "../parts/patient.js";
import { provable, showProof } from "../parts/proof.js";
import { factsOf } from "../parts/request_facts.js";
import { taskCard, taskKeys } from "../parts/tasks.js";

/** @typedef {import("../core/app.js").Context} Context */

export const title = "Request";
const MOST_TASKS = 10;
// of these its vendor has, or may have had, the work
const HAS = ["accepted", "completed", "failed"], HAD = ["turned_back", "cancelled"];
const TASK = "dispatch.task.", TASKS_MS = 1_000;

// from the first moment on: what has no heading yet is named by nothing
const ofFacts = () => h("h2", { id: "facts" }, "How it stands");
const ofStory = () => h("h2", { id: "story" }, "What happened");

class RequestPage {
  /** @param {HTMLElement} root @param {Context} context */
  constructor(root, context) {
    this.context = context;
    this.root = root;
    this.id = context.path[0] || "";
    /** @type {any} as it was read last */
    this.view = null;
    /** @type {any[] | undefined} */
    this.tasks = undefined;
    this.head = h("div", { class: "row" });
    this.acts = h("div", { class: "row acts", role: "group", "aria-label": "Acts" });
    this.unbind = () => {};
    this.facts = h("section", { class: "panel", "aria-labelledby": "facts" }, ofFacts());
    this.why = h("section", { class: "panel", hidden: true, "aria-labelledby": "why" });
    this.match = h("section", { class: "panel", hidden: true, "aria-labelledby": "match" });
    this.todo = h("div", { class: "columns" });
    this.words = h("div", { class: "columns" });
    /** @type {Map<string, Messages>} by dispatch */
    this.threads = new Map();
    this.told = h("section", { class: "panel", "aria-labelledby": "story" }, ofStory());
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    root.append(
      h(
        "div",
        { class: "row" },
        h("h1", {}, title, this.id && " ", this.id && h("span", { class: "mono" }, this.id)),
        this.head,
      ),
      this.acts,
      this.trouble,
      this.todo,
      h(
        "div",
        { class: "columns" },
        h("div", { class: "columns" }, this.facts, this.words, this.why, this.match),
        this.told,
      ),
    );
    const { live, signal } = context;
    const again = settled(() => void this.load(), 400);
    let first = true; // what the board's rows say comes with it, or a moment later: the request itself is read by then
    const stop = context.store.onChange((ids) => {
      if (ids === null && first) this.view && this.show(this.view, this.tasks || []);
      else if (ids === null || ids.has(this.id)) again();
      first = false;
    });
    const soon = paced(() => signal.aborted || again(), TASKS_MS); // whichever task it was: of whose request is not told
    const deaf = live.onChange((change) =>
      Object.keys(change.kinds || {}).some((each) => each.startsWith(TASK)) && soon()
    );
    this.end = () => (stop(), deaf(), this.unbind());
    void this.load();
  }

  async load() {
    const { api, signal } = this.context;
    try {
      const view = await api.get(`/requests/${encodeURIComponent(this.id)}`, {}, signal);
      this.view = view;
      this.show(view, this.tasks || []);
      this.tasks = await this.readTasks(view);
      this.show(view, this.tasks);
      this.trouble.hidden = true;
    } catch (error) {
      if (signal.aborted) return;
      this.facts.hidden = this.told.hidden = !this.view; // of what is not there is nothing to tell
      showTrouble(this.trouble, error);
    }
  }

  /** @param {any} view */
  async readTasks(view) {
    const { api, signal } = this.context, ids = (view.tasks || []).slice(-MOST_TASKS);
    const read = ids.map((/** @type {string} */ id) => api.get(`/tasks/${encodeURIComponent(id)}`, {}, signal));
    const found = await Promise.allSettled(read);
    return found.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
  }

  /** @param {any} view @param {any[]} tasks */
  show(view, tasks) {
    keepingFocus(this.root, () => this.draw(view, tasks));
  }

  /** @param {any} view @param {any[]} tasks */
  draw(view, tasks) {
    const { context } = this, row = context.store.get(this.id), now = context.clock.now();
    this.facts.hidden = this.told.hidden = false;
    const risk = row && atRisk(row, now);
    fill(
      this.head,
      stateMark(view.state),
      risk && h("strong", { class: "past" }, `${RISKS[row.risk]}: ${why(row)}`),
      h("span", { class: "grow" }),
      h("a", { class: "button", href: context.href("map", [], { pick: this.id }) }, "On the map"),
      h("a", { class: "button", href: context.href("decisions", [], { request: this.id }) }, "Why so: decisions"),
      view.episode && h("a", { class: "button", href: context.href("care", ["episode", view.episode]) }, "Its episode"),
      h("button", { type: "button", onclick: () => void showPatient(this.id, this.context) }, "Show patient…"),
      provable(view) &&
        h("button", { type: "button", onclick: () => void showProof(provable(this.view), context) }, "Show proof…"),
    );
    const open = tasks.filter((each) => each.state !== "done");
    fill(this.todo, open.map((each) => taskCard(each, context, "h2")));
    this.showMessages(view);
    this.showActs(row, open[0]);
    fill(this.facts, ofFacts(), factsOf(view, context, now));
    this.why.hidden = !view.unmatched;
    if (view.unmatched) fill(this.why, whyNoVendor(view.unmatched, this.context));
    this.match.hidden = !view.match?.terms?.length;
    if (!this.match.hidden) fill(this.match, whyThisVendor(view.match));
    this.showStory(view, tasks, now);
  }

  /** What may be done about it and its first task, each one key away. @param {import("../core/store.js").Row | undefined} row @param {any} [task] */
  showActs(row, task) {
    const { context } = this, found = row ? actsOn(row, context) : [];
    const run = (/** @type {import("../parts/acts.js").Act} */ act) => {
      const now = context.store.get(this.id);
      if (now) void act.run(now, context);
    };
    this.unbind();
    this.unbind = bind([
      ...found.map((act) => ({ key: act.key, says: act.says.replace("…", ""), act: () => run(act) })),
      ...task ? taskKeys(task, context) : [],
      ...this.threads.size
        ? [{ key: "t", says: "Write to the vendor", act: () => [...this.threads.values()].at(-1)?.focus() }]
        : [],
    ]);
    fill(
      this.acts,
      found.map((act) =>
        h("button", { type: "button", onclick: () => run(act) }, h("kbd", { "aria-hidden": "true" }, act.key), act.says)
      ),
    );
  }

  /** What its vendors and the staff wrote: a thread a dispatch, made once, so that nothing typed is lost. @param {any} view */
  showMessages(view) {
    for (const { id, vendor_id, state } of view.attempts || []) {
      if (![...HAS, ...HAD].includes(state) || this.threads.has(id)) continue;
      const made = new Messages(this.context, {
        id,
        kind: "dispatches",
        says: `Messages with ${vendor_id}`,
        closed: HAD.includes(state),
      });
      this.threads.set(id, made);
      this.words.prepend(made.node); // who has the work stands first
    }
  }

  /** @param {any} view @param {any[]} tasks @param {number} now */
  showStory(view, tasks, now) {
    const { zone } = this.context;
    fill(
      this.told,
      ofStory(),
      h(
        "ol",
        { class: "story" },
        story(view, tasks).map((each) => {
          const dot = h("span", { class: "dot", "aria-hidden": "true" });
          dot.style.setProperty("--state", `var(--state-${each.state})`);
          return h(
            "li",
            {},
            h("time", { dateTime: new Date(each.at).toISOString() }, zone.moment(each.at, now)),
            dot,
            h(
              "div",
              {},
              h("span", {}, each.says),
              each.why && h("span", { class: "soft" }, ` — ${each.why}`),
              each.who && h("span", { class: "who soft small" }, `by ${each.who}`),
            ),
          );
        }),
      ),
      h("p", { class: "soft small" }, `Times in ${zone.name} (${zone.abbreviation(now)}).`),
    );
  }
}

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  if (!context.path[0]) {
    root.append(
      h("h1", {}, title),
      empty("Which request?", "Open one from the board, the map or Today; its id stands in the address."),
    );
    return;
  }
  return new RequestPage(root, context).end;
}
