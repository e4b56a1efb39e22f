/**
 * What-if: a change is tried and not made; what it would do, request by request, and what of that is chance.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { Ask } from "../parts/what_if_ask.js";
import { Answered } from "../parts/what_if_answer.js";
import { csvButton, table } from "../parts/table.js";
import { button, every, heading, notForYou, percent, reading, section, words } from "../parts/view.js";
import { changeInWords } from "../parts/what_if_words.js";

export const title = "What-if";

const EVERY_MS = 3_000;

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  const [name] = context.path;
  if (name === "new") return new Ask(root, context).stop;
  if (name) return new Answered(root, context, name).stop;
  return new List(root, context).stop;
}

class List {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    this.body = h("div", { class: "page-part" });
    root.append(
      heading(title, h("a", { class: "button", href: context.href("what-if", ["new"]) }, "Ask what if …")),
      h(
        "p",
        { class: "soft" },
        "Try other settings, rules, vendors or capacity against the requests of now or of a day. Nothing is published, and matching is not slowed.",
      ),
      this.body,
    );
    void this.read();
    every(() => this.read(), EVERY_MS, context.signal);
    this.stop = bind([
      { key: "n", says: "Ask what if", act: () => context.go("what-if", ["new"]) },
      { key: "r", says: "Read again", act: () => void this.read() },
    ]);
  }

  read() {
    const { api, signal } = this.context;
    return reading(this.body, signal, () => api.get("/what-if", {}, signal), (found) => this.draw(found.what_ifs));
  }

  /** @param {any[]} rows */
  draw(rows) {
    const { context } = this;
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const options = {
      label: "What-ifs",
      file: "what-ifs",
      rows,
      empty: "None was asked yet. n asks one.",
      columns: [
        {
          name: "id",
          says: "What if",
          value: (row) => changeInWords(row.change),
          show: (row) => h("a", { href: context.href("what-if", [row.id]) }, changeInWords(row.change)),
        },
        { name: "against", says: "Against", value: (row) => row.against },
        {
          name: "state",
          says: "State",
          value: (row) => row.state,
          show: (row) => h("span", { class: `tag ${tones[row.state] || ""}` }, words(row.state)),
        },
        {
          name: "progress",
          says: "Progress",
          value: (row) => row.progress,
          show: (row) => percent(row.progress),
          end: true,
        },
        { name: "by", says: "By", value: (row) => row.by },
        {
          name: "asked_at",
          says: "Asked",
          value: (row) => row.asked_at,
          show: (row) => context.zone.moment(Date.parse(row.asked_at), context.clock.now()),
        },
        {
          name: "act",
          says: "Act",
          show: (row) =>
            row.state === "running" || row.state === "queued"
              ? button("Cancel", () => this.cancel(row.id), { "aria-label": `Cancel: ${changeInWords(row.change)}` })
              : "",
        },
      ],
    };
    return section("Asked", csvButton(options), table(options));
  }

  /** @param {string} id */
  async cancel(id) {
    await this.context.api.post(`/what-if/${id}/cancel`);
    await this.read();
  }
}

/** @type {Record<string, string>} */
const tones = { done: "good", failed: "bad", cancelled: "", interrupted: "warn", running: "accent", queued: "accent" };
