/**
 * What each parameter does, as it was measured: on which day, and having it measured now, followed to its end.
 * @module
 */

import { Problem } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { toast } from "./toast.js";
import { button, percent } from "./view.js";

const LOOK_MS = 1000;
const OVER = new Set(["done", "failed"]);

/** The line above the parameters. */
export class Measuring {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {() => void} measured it is done: what was measured is read
   */
  constructor(context, measured) {
    this.context = context;
    this.measured = measured;
    this.timer = 0;
    this.node = h("div", { class: "row hint", role: "status" });
    context.signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  /** @param {any} told the page of parameters */
  show(told) {
    const { measuring } = told;
    fill(this.node, [
      h("span", {}, onDay(told)),
      ...(OVER.has(measuring.state) ? this.ended(measuring) : this.under(measuring)),
    ]);
    clearTimeout(this.timer);
    if (!OVER.has(measuring.state)) this.timer = window.setTimeout(() => void this.look(), LOOK_MS);
  }

  /** @param {any} measuring */
  ended(measuring) {
    return [
      measuring.state === "failed" && h("span", { role: "alert" }, measuring.detail.split("\n")[0]),
      button("Measure now", () => this.ask()),
    ];
  }

  /** @param {any} measuring */
  under(measuring) {
    return [
      h(
        "span",
        {},
        measuring.state === "queued" ? "It waits for its turn" : `Measuring, ${percent(measuring.progress)}`,
      ),
      h("progress", { max: 1, value: measuring.progress, "aria-label": "Progress" }),
    ];
  }

  async ask() {
    try {
      const { signal } = this.context;
      await this.context.api.call("POST", "/tuning/parameters/measure", { signal });
      await this.look();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      toast(error.message);
    }
  }

  /** How far it is: only the line is drawn anew, for somebody may be typing below. */
  async look() {
    try {
      const told = await this.context.api.get("/tuning/parameters", {}, this.context.signal);
      if (OVER.has(told.measuring.state)) this.measured();
      else this.show(told);
    } catch {
      if (this.context.signal.aborted) return;
      this.timer = window.setTimeout(() => void this.look(), 5 * LOOK_MS);
    }
  }
}

/** @param {any} told */
function onDay(told) {
  return told.day
    ? `Effects measured on ${told.day}: ${told.requests} requests in ${told.batches} saved batches, each parameter nudged down and up by itself.`
    : "No effect is measured yet: it is of the last day that is over, once a day; or now, on the last batches that are saved.";
}
