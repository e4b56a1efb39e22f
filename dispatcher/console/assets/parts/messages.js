/**
 * What a vendor and the staff write to each other about a dispatch, or the staff about an episode: read, answered,
 * and said to be read. To open the page is not yet to have read it: that ends the task of what a vendor wrote.
 * @module
 */

import { newKey } from "../core/api.js";
import { fill, h, settled } from "../core/dom.js";
import { whoOf } from "../core/story.js";
import { showTrouble } from "./dialog.js";

/** @typedef {import("../core/app.js").Context} Context */

const POSTED = "dispatch.message.posted";
const MOST_CHARS = 1_000;

/** One thread, under its heading; it is read again when somebody writes. */
export class Messages {
  /**
   * @param {Context} context
   * @param {{ id: string, kind: "dispatches" | "episodes", says: string, closed?: boolean }} of `closed`: only to be read, if there is anything
   */
  constructor(context, { id, kind, says, closed = false }) {
    this.context = context;
    this.closed = closed;
    this.path = `/${kind}/${encodeURIComponent(id)}/messages`;
    this.count = h("span", { class: "past", role: "status" });
    this.list = h("ol", { class: "thread" });
    this.text = h("textarea", { name: "text", required: true, maxLength: MOST_CHARS, rows: 2, "aria-label": says });
    this.trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    this.read = h("button", { type: "button", hidden: true, onclick: () => void this.mark() }, "I have read it");
    this.tried = { text: "", key: "" }; // what was sent and not answered goes out once more under its key
    this.busy = false;
    const form = h(
      "form",
      { class: "row", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), void this.send()) },
      this.text,
      h("button", {}, "Send"),
    );
    const head = h("div", { class: "row" }, h("h2", {}, says), this.count, h("span", { class: "grow" }), this.read);
    this.node = h(
      "section",
      { class: "panel messages", hidden: closed },
      head,
      this.list,
      this.trouble,
      !closed && form,
    );
    const again = settled(() => void this.load(), 200);
    const stop = context.live.onChange((change) => {
      if (change.again || (change.kinds?.[POSTED] || []).includes(id)) again();
    });
    context.signal.addEventListener("abort", stop);
    void this.load();
  }

  focus() {
    this.text.focus();
  }

  load() {
    const { api, signal } = this.context;
    return this.trying(async () => this.show(await api.get(this.path, {}, signal)));
  }

  async send() {
    const text = this.text.value;
    if (!text.trim() || this.busy) return;
    this.busy = true;
    if (this.tried.text !== text) this.tried = { text, key: newKey() };
    await this.trying(async () => {
      await this.context.api.post(this.path, { text }, { key: this.tried.key });
      this.tried = { text: "", key: "" };
      if (this.text.value === text) this.text.value = ""; // else what was typed meanwhile is another
      await this.load();
    });
    this.busy = false;
  }

  mark() {
    return this.trying(async () => {
      await this.context.api.post(`${this.path}/read`, { number: this.shown });
      await this.load();
    });
  }

  /** @param {() => Promise<void>} act */
  async trying(act) {
    try {
      await act();
      this.trouble.hidden = true;
    } catch (error) {
      if (!this.context.signal.aborted) showTrouble(this.trouble, error);
    }
  }

  /** @param {any} thread */
  show({ messages, unread }) {
    const { zone, clock } = this.context, now = clock.now();
    this.shown = messages.length;
    this.node.hidden = this.closed && !messages.length;
    this.count.textContent = unread ? `${unread} unread` : "";
    this.read.hidden = !unread;
    fill(
      this.list,
      messages.map((/** @type {any} */ each) =>
        h(
          "li",
          {},
          h("span", {}, each.text),
          h("span", { class: "who soft small" }, `${whoOf(each)} · ${zone.moment(Date.parse(each.at), now)}`),
        )
      ),
      !messages.length && h("li", { class: "soft" }, "Nothing was written yet."),
    );
  }
}
