/**
 * Health: who matches, what waits, how the store does, what failed; and what may be sent again.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { Aside } from "../parts/aside.js";
import { figure } from "../parts/figure.js";
import { csvButton, table } from "../parts/table.js";
import { Webhooks } from "../parts/webhooks.js";
import { button, bytes, every, heading, notForYou, number, reading, seconds, section, words } from "../parts/view.js";

export const title = "Health";

const EVERY_MS = 10_000;
const SLOW_TASK_S = 3; // whom no worker has taken by then is solved by the matcher
const LATE_S = 120; // a batch that is so old: the market is not matched

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  const page = new HealthPage(context);
  root.append(
    heading(title, button("Read again", () => page.read(), { title: "r" })),
    page.now,
    page.aside.node,
    page.webhooks.node,
  );
  void page.read();
  every(() => page.readNow(), EVERY_MS, context.signal);
  return bind([{ key: "r", says: "Read again", act: () => void page.read() }]);
}

class HealthPage {
  /** @param {import("../core/app.js").Context} context */
  constructor(context) {
    this.context = context;
    this.now = h("div", { class: "page-part" });
    this.aside = new Aside(context, () => void this.readNow());
    this.webhooks = new Webhooks(context);
  }

  async read() {
    await Promise.all([this.readNow(), this.aside.read(), this.webhooks.read()]);
  }

  readNow() {
    const { api, signal } = this.context;
    return reading(this.now, signal, () => api.get("/health", {}, signal), (found) => this.draw(found));
  }

  /** @param {any} found */
  draw(found) {
    const troubles = Object.entries(found.troubles);
    return [
      this.figures(found),
      troubles.length + found.strange.length + found.store.reasons.length > 0 && this.troubles(found, troubles),
      h("div", { class: "columns" }, this.matchers(found), this.store(found.store)),
      this.queues(found),
      this.counts(found),
    ];
  }

  /** @param {any} found */
  figures(found) {
    const { context } = this, late = found.batch_age_s === null || found.batch_age_s > LATE_S;
    return h(
      "div",
      { class: "figures" },
      figure({
        value: found.owner ? "matching" : "not matching",
        says: found.owner ? `for ${seconds(found.held_s)}` : "no matcher has the market",
        tone: found.owner ? "good" : "bad",
      }),
      found.workers !== null && figure({
        value: found.workers ? `${number(found.workers_busy)} of ${number(found.workers)}` : "0",
        says: found.workers ? "workers that solve its batches are busy" : "workers: the matcher solves by itself",
        tone: found.workers ? "good" : "warn",
      }),
      found.workers > 0 && figure({
        value: number(found.tasks_waiting),
        says: found.tasks_waiting
          ? `solves wait for a worker, ${seconds(found.oldest_task_s)} the first`
          : "solves wait for a worker",
        tone: found.oldest_task_s > SLOW_TASK_S ? "warn" : "",
      }),
      figure({ value: seconds(found.batch_age_s), says: "since the last batch", tone: late ? "warn" : "" }),
      figure({
        value: number(found.waiting),
        says: found.waiting ? `wait for a vendor, ${seconds(found.oldest_s)} the first` : "wait for a vendor",
        href: context.href("board", [], { state: "received,matching" }),
      }),
      figure({
        value: number(found.dead_letters),
        says: "dead letters",
        href: "#dead-letters",
        tone: found.dead_letters ? "warn" : "",
      }),
      figure({
        value: number(found.notifications.failed),
        says: "notifications failed",
        href: "#failed-notifications",
        tone: found.notifications.failed ? "warn" : "",
      }),
      figure({
        value: number(found.notifications.due),
        says: found.notifications.due
          ? `due, the first for ${seconds(found.notifications.oldest_due_s)}`
          : "notifications due",
      }),
      figure({
        value: found.store.durable ? "durable" : "not durable",
        says: `the store, ${bytes(found.store.memory_bytes)}`,
        tone: found.store.durable ? "good" : "bad",
      }),
    );
  }

  /** @param {any} found @param {[string, any][]} troubles */
  troubles(found, troubles) {
    const rows = [
      ...found.store.reasons.map((/** @type {string} */ each) => ["store", each]),
      ...troubles,
      ...found.strange.map((/** @type {string} */ each) => ["stored", each]),
    ];
    return section(
      "What fails now",
      null,
      table({
        label: "What fails now",
        file: "troubles",
        rows,
        tone: () => "bad",
        columns: [
          { name: "part", says: "Part", value: (row) => words(row[0]) },
          { name: "why", says: "Why", value: (row) => row[1] },
        ],
      }),
      h(
        "p",
        { class: "hint" },
        "Each is tried again by itself. What is stored wrong is named by ",
        h("code", {}, "dispatcher audit"),
        ".",
      ),
    );
  }

  /** @param {any} found */
  matchers(found) {
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const options = {
      label: "Matchers",
      file: "matchers",
      rows: found.matchers,
      empty: "No matcher lives. Start one: dispatcher serve runs it; so does any process with the role matcher.",
      columns: [
        { name: "name", says: "Name", value: (row) => row.name, show: (row) => h("span", { class: "mono" }, row.name) },
        { name: "owns", says: "Lease", value: (row) => row.owns ? `has it, fence ${found.fence}` : "stands by" },
        {
          name: "alive_s",
          says: "Alive for",
          value: (row) => row.alive_s,
          show: (row) => seconds(row.alive_s),
          end: true,
        },
      ],
    };
    return section("Matchers", csvButton(options), table(options));
  }

  /** @param {any} store */
  store(store) {
    const facts = [
      ["Version", store.version || "–"],
      [
        "Memory",
        bytes(store.memory_bytes) + (store.memory_limit_bytes ? ` of ${bytes(store.memory_limit_bytes)}` : ""),
      ],
      ["Append-only file", bytes(store.log_bytes)],
      ["Commands", `${number(store.commands_per_s)} a second`],
      ["Connections", number(store.clients)],
      ["Up for", seconds(store.uptime_s)],
    ];
    return section(
      "Redis",
      null,
      h("dl", { class: "facts" }, facts.map(([name, says]) => [h("dt", {}, name), h("dd", {}, says)])),
    );
  }

  /** @param {any} found */
  queues(found) {
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const totals = {
      label: "Queues by kind",
      file: "queues",
      rows: found.totals,
      columns: [
        { name: "kind", says: "Streams", value: (row) => row.kind },
        { name: "streams", says: "Read by groups", value: (row) => row.streams, end: true },
        { name: "unread", says: "Unread", value: (row) => row.unread, show: (row) => number(row.unread), end: true },
        {
          name: "unfinished",
          says: "Begun, not finished",
          value: (row) => row.unfinished,
          show: (row) => number(row.unfinished),
          end: true,
        },
      ],
    };
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const fullest = {
      label: "Fullest queues",
      file: "fullest-queues",
      rows: found.queues,
      empty: "Nothing waits in any queue.",
      columns: [
        {
          name: "stream",
          says: "Stream",
          value: (row) => row.stream,
          show: (row) => h("span", { class: "mono" }, row.stream),
        },
        { name: "group", says: "Group", value: (row) => row.group },
        {
          name: "unread",
          says: "Unread",
          value: (row) => row.unread ?? "",
          show: (row) => row.unread ?? "not known",
          end: true,
        },
        { name: "unfinished", says: "Not finished", value: (row) => row.unfinished, end: true },
        {
          name: "oldest_s",
          says: "Oldest",
          value: (row) => row.oldest_s ?? "",
          show: (row) => seconds(row.oldest_s),
          end: true,
        },
      ],
    };
    return section(
      "Queues",
      csvButton(totals),
      table(totals),
      h("div", { class: "row" }, h("h3", {}, "The fullest"), csvButton(fullest)),
      table(fullest),
    );
  }

  /** @param {any} found */
  counts(found) {
    /** @type {import("../parts/table.js").TableOptions<[string, number]>} */
    const options = {
      label: "Since the store was new",
      file: "trouble-counts",
      rows: Object.entries(found.counts),
      empty: "Nothing went wrong since the store was new.",
      columns: [
        { name: "what", says: "What", value: (row) => row[0], show: (row) => words(row[0]).replaceAll(":", ": ") },
        { name: "count", says: "How often", value: (row) => row[1], show: (row) => number(row[1]), end: true },
      ],
    };
    return section("Since the store was new", csvButton(options), table(options));
  }
}
