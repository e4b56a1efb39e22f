/**
 * Time travel: a day as it stood at any moment of it, on the board, the map and the Gantt.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { PastStore, readDay } from "../core/past.js";
import { showTrouble } from "../parts/dialog.js";
import { empty } from "../parts/figure.js";
import { Timeline } from "../parts/timeline.js";

/** @typedef {import("../core/app.js").Context} Context */

export const title = "Time travel";
const VIEWS = { board: "Board", map: "Map", gantt: "Gantt" };

class PastPage {
  /** @param {HTMLElement} root @param {Context} context */
  constructor(root, context) {
    this.context = context;
    const { query, clock, zone, path } = context;
    this.dayName = path[0] || query.get("day") || zone.date(clock.now());
    this.view = query.get("view") || "map";
    this.place = h("div", { class: "page full", role: "region", "aria-label": "As it stood then" });
    this.timelinePlace = h("div");
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.tabs = h("div", { class: "chips", role: "group", "aria-label": "What is shown" });
    /** @type {AbortController | null} */
    this.inner = null;
    /** @type {PastStore | null} */
    this.store = null;
    /** @type {Timeline | null} */
    this.timeline = null;
    this.keeping = 0;
    const day = h("input", { type: "date", value: this.dayName, "aria-label": "Day" });
    day.addEventListener(
      "change",
      () => day.value && context.go("past", [day.value], this.view === "map" ? {} : { view: this.view }),
    );
    root.classList.add("full");
    root.append(
      h(
        "div",
        { class: "row" },
        h("h1", {}, title),
        day,
        this.tabs,
        h("span", { class: "past" }, "The past: nothing can be done here"),
      ),
      this.trouble,
      this.timelinePlace,
      this.place,
    );
    this.keys = bind([
      {
        key: "[",
        says: "To what happened before",
        act: () => this.timeline?.to(this.timeline.of.day.before(this.timeline.ms)),
      },
      {
        key: "]",
        says: "To what happened next",
        act: () => this.timeline?.to(this.timeline.of.day.next(this.timeline.ms)),
      },
      { key: "{", says: "An hour earlier", act: () => this.timeline?.to(this.timeline.ms - 3_600_000) },
      { key: "}", says: "An hour later", act: () => this.timeline?.to(this.timeline.ms + 3_600_000) },
    ]);
    this.drawTabs();
    void this.load();
  }

  drawTabs() {
    fill(
      this.tabs,
      Object.entries(VIEWS).filter(([name]) => name !== "gantt" || this.context.may("ops")).map(([name, says]) =>
        h("button", {
          type: "button",
          class: "chip",
          "aria-pressed": String(name === this.view),
          onclick: () => this.show(name),
        }, says)
      ),
    );
  }

  async load() {
    const { api, signal, query, zone } = this.context;
    try {
      const day = await readDay(api, this.dayName, signal);
      if (!day.lives.length) {
        return fill(
          this.place,
          empty(
            `No request has its window on ${this.dayName}.`,
            "Choose another day: a request stands on the day on which its window opens. The day before: ",
            h("a", { href: this.context.href("past", [dayBefore(this.dayName)]) }, dayBefore(this.dayName)),
            ".",
          ),
        );
      }
      const asked = Number(query.get("at"));
      const at = asked >= day.start && asked <= day.last ? asked : day.last;
      this.store = new PastStore(day, at);
      this.timeline = new Timeline({ day, zone, at, signal, moved: (ms) => this.stand(ms) });
      fill(
        this.timelinePlace,
        this.timeline.node,
        day.cut &&
          h(
            "p",
            { class: "soft small" },
            `Only the first ${day.lives.length.toLocaleString("en")} requests of this day.`,
          ),
      );
      void this.show(this.view);
    } catch (error) {
      if (!signal.aborted) showTrouble(this.trouble, error);
    }
  }

  /** @param {number} ms */
  stand(ms) {
    this.store?.stand(ms);
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.context.setQuery({ at: String(ms) }), 300);
  }

  /** @param {string} name */
  async show(name) {
    this.view = name in VIEWS ? name : "map";
    this.context.setQuery({ view: this.view === "map" ? "" : this.view });
    this.drawTabs();
    if (!this.store) return;
    this.close();
    const inner = this.inner = new AbortController(), root = h("div", { class: `page full page-${this.view}` });
    fill(this.place, root);
    const module = await import(`./${this.view}.js`);
    if (inner.signal.aborted) return;
    const unmount = module.mount(root, {
      ...this.context,
      may: this.view === "board" ? () => false : this.context.may, // acts are of the present
      signal: inner.signal,
      store: this.store,
      query: new URLSearchParams(location.search),
      path: [],
    });
    if (unmount) inner.signal.addEventListener("abort", unmount);
  }

  close() {
    this.inner?.abort();
  }
}

/** @param {string} day 2026-03-03 */
function dayBefore(day) {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
}

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  const page = new PastPage(root, context);
  return () => {
    page.close();
    page.keys();
  };
}
