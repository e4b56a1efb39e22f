/**
 * What lies aside: dead letters and notifications that failed; sent again, or let go.
 * @module
 */

import { h } from "../core/dom.js";
import { until } from "../core/time.js";
import { csvButton, table } from "./table.js";
import { button, reading, requestLink, section, told, words } from "./view.js";

/** The part of the page with what may be sent again. */
export class Aside {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {() => void} changed what else shows it is to be read again
   */
  constructor(context, changed) {
    this.context = context;
    this.changed = changed;
    this.node = h("div", { class: "page-part" });
  }

  /** @returns {Promise<void>} */
  read() {
    const { api, signal } = this.context;
    const read = () =>
      Promise.all([
        api.get("/dead-letters", {}, signal),
        api.get("/notifications", { state: "failed" }, signal),
      ]);
    return reading(this.node, signal, read, ([letters, failed]) => [this.letters(letters), this.failed(failed)]);
  }

  /** @param {any} page */
  letters(page) {
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const options = {
      label: "Dead letters",
      file: "dead-letters",
      rows: page.letters,
      empty: "No dead letters: every reply could be used.",
      columns: [
        {
          name: "at",
          says: "When",
          value: (row) => row.at,
          show: (row) => until(Date.parse(row.at), Date.now()), // the store's clock is never scaled
        },
        {
          name: "stream",
          says: "Stream",
          value: (row) => row.stream,
          show: (row) => h("span", { class: "mono" }, row.stream),
        },
        {
          name: "entry_id",
          says: "Entry",
          value: (row) => row.entry_id,
          show: (row) => h("span", { class: "mono" }, row.entry_id),
        },
        { name: "reason", says: "Why", value: (row) => row.reason.replaceAll("-", " ") },
        { name: "kept", says: "Kept", value: (row) => row.kept ? "yes" : "no" },
        {
          name: "act",
          says: "Act",
          show: (row) => [
            button("Send again", () => this.onLetter(row, "send-again", "sent again"), {
              disabled: !row.kept,
              title: row.kept ? "It is read once more, as if it had just come" : "Its entry is no longer kept",
            }),
            " ",
            button("Let go", () => this.onLetter(row, "forget", "let go"), { class: "quiet" }),
          ],
        },
      ],
    };
    const kept = page.letters.filter((/** @type {any} */ each) => each.kept);
    const all = button(`Send all ${kept.length} again`, () => this.sendAll(kept), { hidden: kept.length < 2 });
    const made = section("Dead letters", [all, csvButton(options)], table(options));
    made.id = "dead-letters";
    if (page.cursor) made.append(h("p", { class: "hint" }, "There are more, older ones; let go of these to see them."));
    return made;
  }

  /** @param {any} letter @param {string} verb @param {string} done */
  async onLetter(letter, verb, done) {
    await told(() => this.context.api.post(`/dead-letters/${letter.id}/${verb}`), `Entry ${letter.entry_id} ${done}.`);
    await this.read();
    this.changed();
  }

  /** @param {any[]} letters the oldest first, as they came */
  async sendAll(letters) {
    let sent = 0;
    for (const each of [...letters].reverse()) {
      const done = await this.context.api.post(`/dead-letters/${each.id}/send-again`).catch(() => null);
      if (done) sent++;
    }
    await told(() => Promise.resolve(true), `${sent} of ${letters.length} sent again.`);
    await this.read();
    this.changed();
  }

  /** @param {any} page */
  failed(page) {
    const { context } = this, now = context.clock.now();
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const options = {
      label: "Failed notifications",
      file: "failed-notifications",
      rows: page.notifications,
      empty: "Every notification got through, or nobody was to be told.",
      columns: [
        {
          name: "request_id",
          says: "Request",
          value: (row) => row.request_id,
          show: (row) => requestLink(context, row.request_id),
        },
        { name: "template", says: "What", value: (row) => words(row.template) },
        { name: "audience", says: "For", value: (row) => row.audience },
        {
          name: "due_at",
          says: "Was due",
          value: (row) => row.due_at,
          show: (row) => until(Date.parse(row.due_at), now),
        },
        { name: "code", says: "Why it failed", value: (row) => words(row.code) },
        {
          name: "act",
          says: "Act",
          show: (row) => {
            const useful = Date.parse(row.useful_until) > now;
            return button("Send again", () => this.sendNote(row), {
              disabled: !useful,
              title: useful ? "It is tried again at once" : "It says nothing new any more",
            });
          },
        },
      ],
    };
    const made = section("Notifications that failed", csvButton(options), table(options));
    made.id = "failed-notifications";
    return made;
  }

  /** @param {any} note */
  async sendNote(note) {
    const path = `/notifications/${note.id}/send-again`;
    await told(() => this.context.api.post(path), `The notification of ${note.request_id} is due again.`);
    await this.read();
    this.changed();
  }
}
