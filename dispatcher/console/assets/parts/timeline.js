/**
 * A day as a slider: what happened when lies below it, steps lead from one event to the next, and it plays.
 * @module
 */

import { h, svg } from "../core/dom.js";

const PARTS = 144, PLAY_MS = 100;
const SPEEDS = [60, 300, 900, 3600];

export class Timeline {
  /**
   * @param {{ day: import("../core/past.js").PastDay, zone: import("../core/time.js").Zone, at: number, moved: (ms: number) => void, signal: AbortSignal }} of
   */
  constructor(of) {
    this.of = of;
    this.ms = of.at;
    this.playing = 0;
    const { day, zone } = of;
    this.moment = h("output", { class: "moment" });
    this.range = h("input", {
      type: "range",
      min: String(day.start),
      max: String(day.end),
      step: "60000",
      "aria-label": `Moment of ${day.day}`,
    });
    this.range.addEventListener("input", () => this.to(Number(this.range.value)));
    this.play = h("button", { type: "button", onclick: () => this.toggle() }, "Play");
    this.speed = h(
      "select",
      { "aria-label": "Speed" },
      SPEEDS.map((each) => h("option", { value: each }, each < 3600 ? `${each / 60} min a second` : "1 h a second")),
    );
    this.speed.value = "900";
    this.zoneName = h(
      "span",
      { class: "soft" },
      `${zone.day(day.start + 43_200_000)} · ${zone.abbreviation(day.start + 43_200_000)}`,
    );
    this.node = h(
      "div",
      { class: "timeline", role: "group", "aria-label": "Time travel" },
      h("div", { class: "row" }, this.moment, this.zoneName, ...this.steps(), this.play, this.speed),
      this.range,
      this.trace(),
    );
    of.signal.addEventListener("abort", () => clearInterval(this.playing));
    this.show();
  }

  steps() {
    const step = (/** @type {string} */ says, /** @type {string} */ title, /** @type {() => number} */ to) =>
      h("button", { type: "button", title, "aria-label": title, onclick: () => this.to(to()) }, says);
    const { day } = this.of;
    return [
      step("|◂", "To the beginning of the day", () => day.start),
      step("◂ 1 h", "An hour earlier", () => this.ms - 3_600_000),
      step("◂", "To what happened before", () => day.before(this.ms)),
      step("▸", "To what happened next", () => day.next(this.ms)),
      step("1 h ▸", "An hour later", () => this.ms + 3_600_000),
      step("▸|", "To the end", () => day.last),
    ];
  }

  trace() {
    const { day } = this.of, counts = day.traffic(PARTS), most = Math.max(1, ...counts);
    const bars = [...counts].map((count, at) => count ? `M${at} 28v-${Math.max(1, count / most * 26)}h.8V28z` : "")
      .join("");
    return svg(
      "svg",
      { viewBox: `0 0 ${PARTS} 28`, preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("path", { class: "bars", d: bars }),
    );
  }

  /** @param {number} ms */
  to(ms) {
    const { day, moved } = this.of;
    if (!Number.isFinite(ms)) return;
    this.ms = Math.max(day.start, Math.min(day.last, ms));
    this.show();
    moved(this.ms);
  }

  show() {
    const { zone, day } = this.of, says = zone.seconds(this.ms);
    this.moment.textContent = this.ms === day.end && says === "00:00:00" ? "24:00:00" : says; // not the day's beginning
    this.range.value = String(this.ms);
    this.range.setAttribute("aria-valuetext", `${zone.time(this.ms)} ${zone.abbreviation(this.ms)}`);
  }

  toggle() {
    if (this.playing) {
      clearInterval(this.playing);
      this.playing = 0;
    } else {
      if (this.ms >= this.of.day.last) this.to(this.of.day.start);
      this.playing = setInterval(() => {
        this.to(this.ms + Number(this.speed.value) * PLAY_MS);
        if (this.ms >= this.of.day.last) this.toggle();
      }, PLAY_MS);
    }
    this.play.textContent = this.playing ? "Pause" : "Play";
  }
}
