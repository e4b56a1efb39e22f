/**
 * What a person has to do, kept as events tell of it.
 * @module
 */

import { settled } from "./dom.js";

/** @typedef {import("./app.js").Context} Context */

const MOST = 1_000;

/**
 * What a task is about, as people call it: a request, or else an authorization, a standing order, a canary.
 * @param {any} task
 * @returns {string}
 */
export function about(task) {
  return task.request_id || task.authorization_id || task.standing_order_id || task.webhook_id || task.vendor_id ||
    task.id.split(".")[0];
}

/** Tasks that are not done, the earliest due first. */
export class Tasks {
  /** @param {Context} context @param {() => void} changed */
  constructor(context, changed) {
    this.context = context;
    this.changed = changed;
    /** @type {any[]} */
    this.all = [];
    this.more = false;
    this.trouble = "";
    this.loaded = false;
    const again = settled(() => this.read(), 300);
    const stop = context.live.onChange((change) => {
      if (change.again || Object.keys(change.kinds || {}).some((each) => each.startsWith("dispatch.task."))) again();
    });
    context.signal.addEventListener("abort", stop);
    this.read();
  }

  async read() {
    const { api, signal } = this.context;
    try {
      /** @type {any[]} */
      const found = [];
      this.more = false;
      for await (const page of api.pages("/tasks", { limit: 200 }, signal)) {
        found.push(...page.tasks);
        this.more = Boolean(page.cursor) && found.length >= MOST;
        if (this.more) break;
      }
      this.all = found;
      this.loaded = true;
      this.trouble = "";
    } catch (error) {
      if (signal.aborted) return;
      this.trouble = error instanceof Error ? error.message : String(error);
    }
    this.changed();
  }
}
