/**
 * Webhooks: how each does, its last calls; dead letters sent again, one disabled or enabled.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { until } from "../core/time.js";
import { csvButton, table } from "./table.js";
import { button, number, reading, section, told, vendorLink, words } from "./view.js";

/** @type {Record<string, string>} */
const TONES = { failing: "bad", disabled: "warn" };

/** The part of the page with the market's webhooks. */
export class Webhooks {
  /** @param {import("../core/app.js").Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("div", { class: "page-part" });
    this.calls = h("div", { class: "page-part" });
  }

  /** @returns {Promise<void>} */
  read() {
    const { api, signal } = this.context;
    return reading(this.node, signal, () => api.get("/webhooks", { limit: "200" }, signal), (page) => this.draw(page));
  }

  /** @param {any} page */
  draw(page) {
    const now = this.context.clock.now();
    /** @type {import("../parts/table.js").TableOptions<any>} */
    const options = {
      label: "Webhooks",
      file: "webhooks",
      rows: page.webhooks,
      empty: "Nobody is called: no vendor has a webhook, nor has the platform.",
      tone: (row) => TONES[row.state] || "",
      columns: [
        {
          name: "vendor_id",
          says: "Whose",
          value: (row) => row.vendor_id,
          show: (row) => row.vendor_id ? vendorLink(this.context, row.vendor_id) : "the platform",
        },
        {
          name: "url",
          says: "Called at",
          value: (row) => row.url,
          show: (row) => h("span", { class: "mono" }, row.url),
        },
        {
          name: "state",
          says: "State",
          value: (row) => row.state,
          show: (row) => words(row.state) + (row.code ? `: ${words(row.code)}` : ""),
        },
        {
          name: "waiting",
          says: "Waiting",
          value: (row) => row.waiting,
          show: (row) => number(row.waiting),
          end: true,
        },
        { name: "dead", says: "Dead letters", value: (row) => row.dead, show: (row) => number(row.dead), end: true },
        {
          name: "delivered_at",
          says: "Last taken",
          value: (row) => row.delivered_at,
          show: (row) => row.delivered_at ? until(Date.parse(row.delivered_at), now) : "never",
        },
        { name: "act", says: "Act", show: (row) => this.acts(row) },
      ],
    };
    const made = section("Webhooks", csvButton(options), table(options), this.calls);
    made.id = "webhooks";
    if (page.cursor) made.append(h("p", { class: "hint" }, "There are more; a vendor's page has its own."));
    return made;
  }

  /** @param {any} hook */
  acts(hook) {
    const named = hook.vendor_id || "the platform";
    const can = hook.dead > 0 && hook.state !== "disabled";
    return [
      hook.dead > 0 && button("Send again", () => this.act(hook, "send-again", "are sent again"), {
        disabled: !can,
        title: can ? `All ${hook.dead} dead letters of ${named}` : "It is disabled: enable it first",
      }),
      " ",
      hook.dead > 0 && button("Let go", () => this.act(hook, "dead-letters/forget", "are let go"), { class: "quiet" }),
      " ",
      hook.state === "disabled"
        ? button("Enable", () => this.act(hook, "enable", "is called again"), { title: `The webhook of ${named}` })
        : button("Disable", () => this.act(hook, "disable", "is called no more"), {
          class: "quiet",
          title: `The webhook of ${named}`,
        }),
      " ",
      button("Calls", () => this.log(hook), { class: "quiet", title: `The last calls of ${named}` }),
    ];
  }

  /** @param {any} hook @param {string} verb @param {string} done */
  async act(hook, verb, done) {
    const what = verb.includes("-") ? `${hook.dead} dead letters` : "The webhook";
    await told(
      () => this.context.api.post(`/webhooks/${hook.id}/${verb}`, {}),
      `${what} of ${hook.vendor_id || "the platform"} ${done}.`,
    );
    await this.read();
  }

  /** @param {any} hook */
  log(hook) {
    const { api, signal } = this.context, now = this.context.clock.now();
    return reading(
      this.calls,
      signal,
      () => api.get(`/webhooks/${hook.id}/deliveries`, { limit: "50" }, signal),
      (page) => {
        /** @type {import("../parts/table.js").TableOptions<any>} */
        const options = {
          label: `Last calls of ${hook.vendor_id || "the platform"}`,
          file: "webhook-calls",
          rows: page.deliveries,
          empty: "It has not been called.",
          tone: (row) => row.outcome === "dead" ? "bad" : "",
          columns: [
            { name: "at", says: "When", value: (row) => row.at, show: (row) => until(Date.parse(row.at), now) },
            { name: "type", says: "Event", value: (row) => row.type },
            { name: "subject", says: "About", value: (row) => row.subject },
            { name: "attempt", says: "Attempt", value: (row) => row.attempt, end: true },
            {
              name: "outcome",
              says: "Outcome",
              value: (row) => row.outcome + (row.code ? `: ${words(row.code)}` : ""),
            },
            {
              name: "took_ms",
              says: "Took",
              value: (row) => row.took_ms,
              show: (row) => `${row.took_ms} ms`,
              end: true,
            },
          ],
        };
        const close = button("Close", () => fill(this.calls), { class: "quiet" });
        return [h("div", { class: "row" }, h("h3", {}, options.label), csvButton(options), close), table(options)];
      },
    );
  }
}
