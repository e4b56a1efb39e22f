/**
 * Audit: who changed what, when and why; who looked at a patient block. The newest first.
 * @module
 */

import { fill, h, settled } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { Chips } from "../parts/chips.js";
import { exportAll } from "../parts/export_all.js";
import { empty } from "../parts/figure.js";
import { grid } from "../parts/grid.js";
import { leadsTo } from "../parts/grid_keys.js";
import { button, heading, notForYou, reading, words } from "../parts/view.js";

export const title = "Audit";

/** @type {[string, string][]} */
const GROUPS = [
  ["tuning", "Tuning"],
  ["vendors", "Vendors"],
  ["work", "Work by hand"],
  ["authorizations", "Authorizations"],
  ["patients", "Patients read"],
];

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  return new Audit(root, context).stop;
}

class Audit {
  /**
   * @param {HTMLElement} root
   * @param {import("../core/app.js").Context} context
   */
  constructor(root, context) {
    this.context = context;
    root.classList.add("full");
    /** @type {any[]} */
    this.rows = [];
    this.cursor = "";
    this.chips = new Chips("What it was about", (on) => {
      const group = [...on].at(-1) || "";
      this.chips.set(group ? [group] : []);
      this.asked({ group });
    });
    this.chips.set([context.query.get("group") || ""].filter(Boolean));
    this.subject = this.input("subject", "Who  /", "Who did it: a name or a role");
    this.about = this.input("about", "Id of what", "The id of what it was about");
    this.trouble = h("div", {});
    this.more = button("Read earlier ones", () => this.read(true), { hidden: true });
    this.grid = this.newGrid();
    for (const field of [this.subject, this.about]) leadsTo(field, this.grid);
    root.append(
      heading(title, this.subject, this.about, button("Export CSV", () => exportAll(this, context.signal))),
      this.chips.node,
      this.trouble,
      this.grid,
      h("div", { class: "row" }, this.more),
    );
    this.chips.show(GROUPS.map(([value, says]) => ({ value, says })));
    void this.read();
    this.stop = bind([
      { key: "/", says: "Find by who", act: () => this.subject.focus() },
      { key: "r", says: "Read again", act: () => void this.read() },
      { key: "m", says: "Read earlier ones", act: () => void this.read(true) },
      { key: "e", says: "Export CSV", act: () => void exportAll(this, context.signal) },
    ]);
  }

  /** @param {string} name @param {string} placeholder @param {string} label */
  input(name, placeholder, label) {
    const made = h("input", {
      type: "search",
      placeholder,
      "aria-label": label,
      value: this.context.query.get(name) || "",
      oninput: settled(() => this.asked({ [name]: made.value.trim() }), 300),
    });
    return made;
  }

  newGrid() {
    const { context } = this;
    return grid({
      label: "Acts",
      file: "audit",
      key: (/** @type {any} */ row) => row.id,
      open: (row) => this.follow(row),
      empty: empty(
        "Nobody has changed anything by hand.",
        "Take a filter off; what the service does by itself is no act.",
      ),
      columns: [
        {
          name: "at",
          says: "When",
          width: 150,
          least: 92,
          value: (row) => row.at,
          show: (row) => context.zone.moment(Date.parse(row.at), context.clock.now()),
        },
        { name: "subject", says: "Who", width: 150, least: 100, value: (row) => row.subject || row.by },
        { name: "by", says: "As", width: 120, least: 96, value: (row) => words(row.by) },
        { name: "act", says: "Did", width: 190, least: 140, below: 1, value: (row) => words(row.act) },
        {
          name: "about",
          says: "To",
          width: 210,
          least: 160,
          below: 1,
          value: (row) => `${row.kind} ${row.about}`,
          show: (row) => {
            const found = this.leads(row);
            const said = `${words(row.kind)} ${row.about}`;
            return found ? h("a", { href: context.href(...found) }, said) : said;
          },
        },
        { name: "reason", says: "Why", width: 260, least: 160, below: 1, value: (row) => row.reason },
        { name: "detail", says: "Detail", width: 260, least: 160, value: (row) => row.detail },
      ],
    });
  }

  /**
   * The page on which what it was about is shown; null: none.
   * @param {any} row
   * @returns {[string, string[]] | null}
   */
  leads(row) {
    if (row.kind === "request") return ["request", [row.about]];
    if (row.kind === "vendor" || row.kind === "capacity") return ["vendors", [row.about]];
    if (row.kind === "tuning") return ["tuning", ["versions"]];
    if (row.kind === "dead_letter" || row.kind === "notification") return ["health", []];
    return null;
  }

  /** @param {any} row */
  follow(row) {
    const found = this.leads(row);
    if (found) this.context.go(...found);
  }

  /** @param {Record<string, string>} changes */
  asked(changes) {
    this.context.setQuery(changes);
    void this.read();
  }

  /** @param {boolean} [further] */
  async read(further = false) {
    const { api, signal } = this.context;
    if (further && !this.cursor) return;
    const query = {
      group: [...this.chips.on][0],
      subject: this.subject.value.trim(),
      about: this.about.value.trim(),
      cursor: further ? this.cursor : "",
      limit: 200,
    };
    await reading(this.trouble, signal, () => api.get("/audit", query, signal), (page) => {
      this.rows = further ? [...this.rows, ...page.acts] : page.acts;
      this.cursor = page.cursor;
      this.more.hidden = !page.cursor;
      this.grid.update(this.rows, { anew: !further });
      fill(this.trouble);
      return "";
    });
  }
}
