/**
 * One request beside a list: why it is there, what would free it, and the acts, each one key away.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { keepingFocus } from "../core/focus.js";
import { bind } from "../core/keys.js";
import { spoken } from "../core/spoken.js";
import { until } from "../core/time.js";
import { actsOn } from "./acts.js";
import { oneMoreUnit } from "./acts/units.js";
import { showTrouble } from "./dialog.js";
import { money, stateMark, words } from "./state.js";
import { changeSays, codeSays, RISKS, ruleSays, sentence, why } from "./words.js";
import { vendorLink } from "./view.js";
import { taskCard, taskKeys } from "./tasks.js";
import { aged } from "./aged.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../core/store.js").Row} Row */

/** The panel; `show` a row (or a task without one), `clear` it. */
export class Panel {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("aside", { class: "panel side", "aria-label": "The request chosen", hidden: true });
    /** @type {Row | undefined} */
    this.row = undefined;
    /** @type {any[]} */
    this.tasks = [];
    this.asked = new AbortController();
    this.unbind = () => {};
    this.clear();
    context.signal.addEventListener("abort", () => this.clear());
  }

  clear() {
    this.asked.abort();
    this.unbind();
    this.unbind = () => {};
    this.row = undefined;
    this.node.hidden = true;
  }

  /** @param {Row | undefined} row @param {any[]} [tasks] */
  show(row, tasks = []) {
    const same = row && this.row && row.id === this.row.id && row.version === this.row.version &&
      tasks.length === this.tasks.length;
    if (same && tasks.every((each, at) => each.version === this.tasks[at].version)) return this.tick();
    const again = row && row.id === this.row?.id, old = again && this.node.querySelector(":scope > .more");
    this.asked.abort();
    this.asked = new AbortController();
    this.unbind();
    this.row = row;
    this.tasks = tasks;
    this.node.hidden = !row && !tasks.length;
    const more = old instanceof HTMLElement ? old : h("div", { class: "more" }); // no blink at each change
    const draw = () =>
      fill(
        this.node,
        row && this.head(row),
        tasks.map((each) => taskCard(each, this.context)),
        row && this.acts(row),
        row && this.facts(row),
        more,
      );
    if (again) keepingFocus(this.node, draw);
    else draw();
    this.bindKeys();
    if (row) this.detail(row, more);
  }

  /** "in 12 min" grows old by itself. */
  tick() {
    const now = this.context.clock.now();
    for (const each of this.node.querySelectorAll("[data-due]")) {
      each.textContent = until(Number(/** @type {HTMLElement} */ (each).dataset.due), now);
    }
  }

  /** @param {Row} row */
  head(row) {
    const { href } = this.context;
    return h(
      "div",
      { class: "head" },
      h(
        "div",
        { class: "row" },
        h("h2", {}, h("a", { href: href("request", [row.id]) }, row.id)),
        stateMark(row.state),
        h("span", { class: "soft" }, row.owner !== "none" && `with ${words(row.owner)}`),
      ),
      row.risk && row.risk !== "report" &&
        h("p", { class: "risk" }, h("strong", {}, RISKS[row.risk] || words(row.risk)), why(row) && `: ${why(row)}.`),
    );
  }

  /** @param {Row} row */
  facts(row) {
    const { zone, clock, href } = this.context, now = clock.now();
    const facts = [
      ["Window", `${zone.moment(row.earliest, now)} to ${zone.time(row.latest)}`],
      row.risk && row.due ? ["Due", `${zone.moment(row.due, now)} · `, aged(row.due, now)] : null,
      ["Service", words(row.class)],
      ["Priority", row.priority],
      row.vendor ? ["Vendor", vendorLink(this.context, row.vendor)] : null,
      row.start ? ["Start", `${zone.moment(row.start, now)} · ${money(row.cents)}`] : null,
      ["At the telephone", spoken(row.id)],
      row.episode ? ["Episode", h("a", { href: href("care", ["episode", row.episode]) }, row.episode)] : null,
    ].filter((each) => each !== null);
    return h(
      "dl",
      { class: "facts" },
      facts.map(([name, ...says]) => [h("dt", {}, name), h("dd", {}, says)]),
    );
  }

  /** @param {Row} row */
  acts(row) {
    const found = actsOn(row, this.context);
    return h(
      "div",
      { class: "acts", role: "group", "aria-label": "Acts" },
      found.map((act) =>
        h(
          "button",
          { type: "button", onclick: () => this.run(act) },
          h("kbd", { "aria-hidden": "true" }, act.key),
          act.says,
        )
      ),
    );
  }

  /** @param {import("./acts.js").Act} act */
  run(act) {
    const row = this.row && (this.context.store.get(this.row.id) || this.row);
    if (row) act.run(row, this.context);
  }

  bindKeys() {
    const row = this.row;
    const close = { key: "Escape", says: "Close it", group: "The request chosen", act: () => this.clear() };
    const own = row
      ? actsOn(row, this.context).map((act) => ({
        key: act.key,
        says: act.says.replace("…", ""),
        group: "The request chosen",
        act: () => this.run(act),
      }))
      : [];
    const [task] = this.tasks;
    if (task) own.push(...taskKeys(task, this.context, "The request chosen"));
    this.unbind = bind([...own, close]);
  }

  /**
   * What only the request itself says: reasons, what would free it, who was asked.
   * @param {Row} row
   * @param {HTMLElement} place
   */
  async detail(row, place) {
    const signal = AbortSignal.any([this.asked.signal, this.context.signal]);
    await new Promise((done) => setTimeout(done, 90)); // who runs down the list asks for none
    if (signal.aborted) return;
    try {
      const view = await this.context.api.get(`/requests/${row.id}`, {}, signal);
      fill(place, this.reasons(view, row), this.frees(view, row), this.attempts(view));
    } catch (error) {
      if (signal.aborted) return;
      const trouble = h("p", { class: "trouble" });
      fill(place, trouble);
      showTrouble(trouble, error);
    }
  }

  /** @param {any} view @param {Row} row */
  reasons(view, row) {
    const found = view.unmatched;
    if (!found || row.ended && row.state !== "unmatched") return null;
    const removed = (found.removed || []).map((/** @type {any} */ each) =>
      h("tr", {}, h("td", {}, sentence(words(each.rule))), h("td", { class: "number" }, each.vendors))
    );
    return h(
      "section",
      {},
      h("h3", {}, "Why"),
      h(
        "p",
        {},
        sentence(ruleSays(found.competition ? "competition" : found.last_rule || "")),
        found.hint && `. ${found.hint}`,
      ),
      removed.length > 0 &&
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              h("th", {}, `Of ${found.vendors} vendors, removed by`),
              h("th", { class: "number" }, "vendors"),
            ),
          ),
          h("tbody", {}, removed),
        ),
    );
  }

  /** @param {any} view @param {Row} row */
  frees(view, row) {
    const found = view.unmatched?.relaxations || [];
    if (!found.length || row.ended) return null;
    const { zone, clock } = this.context;
    const at = (/** @type {string} */ iso) => zone.moment(Date.parse(iso), clock.now());
    return h(
      "section",
      {},
      h("h3", {}, "What would free it"),
      h(
        "ul",
        { class: "frees" },
        found.slice(0, 5).map((/** @type {any} */ each) =>
          h(
            "li",
            {},
            h("strong", {}, each.vendor_id),
            ` at ${at(each.start_at)}, with ${
              each.changes.map((/** @type {any} */ change) => changeSays(change, at)).join(" and ")
            }`,
            this.freeing(each, row),
          )
        ),
      ),
    );
  }

  /** The act that a relaxation asks for, if it is one of ours. @param {any} each @param {Row} row */
  freeing(each, row) {
    const units = each.changes.find((/** @type {any} */ change) => change.kind === "units");
    if (!units || each.changes.length > 1 || !this.context.may("ops")) return null;
    const hint = { vendor: each.vendor_id, start: Date.parse(units.start_at), minutes: units.minutes };
    return h(
      "button",
      { type: "button", class: "quiet", onclick: () => oneMoreUnit(row, this.context, hint) },
      "Post it…",
    );
  }

  /** @param {any} view */
  attempts(view) {
    const found = view.attempts || [];
    if (!found.length) return null;
    const { zone, clock } = this.context;
    return h(
      "section",
      {},
      h("h3", {}, "Who was asked"),
      h(
        "table",
        {},
        h(
          "tbody",
          {},
          found.slice(-6).reverse().map((/** @type {any} */ each) =>
            h(
              "tr",
              {},
              h("td", { class: "whole" }, each.vendor_id),
              h(
                "td",
                {},
                each.willing ? "would take it" : words(each.state),
                each.code && each.code.toLowerCase() !== each.state && ` (${codeSays(each.code)})`,
              ),
              h("td", { class: "number whole" }, zone.moment(Date.parse(each.at), clock.now())),
            )
          ),
        ),
      ),
      this.next(view.chain || []),
    );
  }

  /** Who is asked after that. @param {any[]} chain */
  next(chain) {
    if (!chain.length) return null;
    const { zone, clock } = this.context;
    const told = chain.map((each) => `${each.vendor_id} at ${zone.moment(Date.parse(each.start_at), clock.now())}`);
    return h("p", {}, `If it is not taken, next: ${told.join(", then ")}.`);
  }
}
