/**
 * Versions of the tuning: who made each, when, why, what it changed; any of them is brought back in one act.
 * @module
 */

import { h } from "../core/dom.js";
import { dialog, field } from "./dialog.js";
import { asText } from "./draft.js";
import { diffTable } from "./parameter_words.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, reading, section, words } from "./view.js";

/** The side of the page with every version that is kept. */
export class Versions {
  /** @param {import("../core/app.js").Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("div", { class: "page-part" });
    this.current = 0;
    /** @type {any[]} */
    this.rows = [];
  }

  read() {
    const { api, signal } = this.context;
    const all = async () => {
      /** @type {any[]} */
      const rows = [];
      for (let before = null;;) {
        /** @type {any} */
        const page = await api.get("/tuning/versions", { before, limit: 100 }, signal);
        rows.push(...page.versions);
        this.current = page.current;
        if (!(before = page.next)) return rows;
      }
    };
    return reading(this.node, signal, all, (rows) => {
      this.rows = rows;
      return this.draw();
    });
  }

  draw() {
    const { zone, clock } = this.context;
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Versions of the tuning",
      file: "tuning-versions",
      rows: this.rows,
      empty: "No version yet: every parameter is at its default. Change one under Parameters.",
      tone: (row) => row.version === this.current ? "good" : "",
      columns: [
        {
          name: "version",
          says: "Version",
          value: (row) => row.version,
          show: (row) => row.version === this.current ? h("strong", {}, `${row.version} stands`) : row.version,
        },
        {
          name: "at",
          says: "When",
          value: (row) => row.at || "",
          show: (row) => row.at ? zone.moment(Date.parse(row.at), clock.now()) : "–",
        },
        { name: "by", says: "Who", value: (row) => row.by },
        { name: "made", says: "How", value: (row) => [words(row.made), row.source].filter(Boolean).join(" ") },
        { name: "reason", says: "Why", value: (row) => row.reason },
        {
          name: "what_if",
          says: "What-if",
          value: (row) => row.what_if,
          show: (row) => row.what_if ? h("a", { href: this.context.href("what-if", [row.what_if]) }, "shown by") : "",
        },
        {
          name: "changes",
          says: "What it changed",
          value: (row) =>
            (row.changes || []).map((/** @type {any} */ each) =>
              `${each.name} ${asText(each.before)} → ${asText(each.after)}`
            ).join("; "),
          show: (row) => this.changes(row),
        },
        {
          name: "act",
          says: "Act",
          show: (row) =>
            row.version === this.current ? "" : button("Restore …", () => this.restore(row.version), {
              "aria-label": `Restore version ${row.version}`,
            }),
        },
      ],
    };
    return section("Versions", csvButton(options), table(options));
  }

  /** @param {any} row */
  changes(row) {
    if (row.changes === null) return "the version before is no longer kept";
    return row.changes.map((/** @type {any} */ each) =>
      h(
        "div",
        {},
        h("span", { class: "mono" }, each.name),
        " ",
        h("span", { class: "was" }, asText(each.before) || "none"),
        " → ",
        h("strong", {}, asText(each.after) || "none"),
      )
    );
  }

  /** @param {number} version */
  async restore(version) {
    const { api } = this.context;
    const diff = await api.get(`/tuning/versions/${this.current}/diff`, { to: version });
    const done = await dialog({
      title: `Restore version ${version}`,
      wide: true,
      body: [
        diffTable(diff.changes),
        h("p", { class: "soft" }, `It is in force within a second, as version ${this.current + 1}.`),
        field("Reason", h("input", { name: "reason", required: true, maxLength: 200, autofocus: true })),
      ],
      act: `Restore version ${version}`,
      run: (form) =>
        api.post(`/tuning/versions/${version}/restore`, { reason: form.get("reason") }, {
          ifMatch: `"${this.current}"`,
        }),
    });
    if (!done) return;
    toast(`Version ${version} is in force again.`);
    await this.read();
  }
}
