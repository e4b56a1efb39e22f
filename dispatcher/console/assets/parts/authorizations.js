/**
 * Authorizations: what is held for want of one, and those that there are; entered, renewed and revoked by case managers.
 * @module
 */

import { fill, h, paced } from "../core/dom.js";
import { keepingFocus } from "../core/focus.js";
import { bind } from "../core/keys.js";
import { until } from "../core/time.js";
import { authorize, authorizePatient, leftSays, renew, revoke, wants } from "./acts/authorize.js";
import { sides } from "./barriers.js";
import { csvButton, table } from "./table.js";
import { button, heading, reading, requestLink, section, words } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

const MOST = 500, PACE_MS = 400;
const LISTS = ["case_manager", "ops"];
export const TOLD = "dispatch.authorization.";

/** Both lists. */
export class Authorizations {
  /** @param {HTMLElement} root @param {Context} context */
  constructor(root, context) {
    this.context = context;
    this.manages = context.may("case_manager");
    this.held = h("div", {});
    this.all = h("div", {});
    const enter = () => void authorizePatient(context);
    root.append(
      heading("Care", this.manages && button("New authorization…", enter, { title: "n" })),
      sides(context, "authorizations"),
      this.manages ? "" : h("p", { class: "hint" }, "Only a case manager enters, renews and revokes authorizations."),
      this.held,
      this.all,
    );
    const soon = paced(() => context.signal.aborted || this.drawHeld(), PACE_MS);
    context.signal.addEventListener("abort", context.store.onChange(soon));
    const deaf = context.live.onChange((change) =>
      Object.keys(change.kinds || {}).some((each) => each.startsWith(TOLD)) && void this.read()
    );
    context.signal.addEventListener("abort", deaf);
    void this.read();
    this.stop = bind([
      { key: "r", says: "Read again", act: () => void this.read() },
      ...this.manages ? [{ key: "n", says: "Enter a new authorization", act: enter }] : [],
    ]);
  }

  drawHeld() {
    const { context } = this, now = context.clock.now();
    if (!context.store.loaded) return;
    const rows = context.store.rows().filter(wants).sort((a, b) => a.due - b.due);
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Held until it is authorized",
      file: "held-for-authorization",
      rows,
      empty: "Nothing waits for an authorization.",
      tone: (row) => row.due && row.due < now ? "bad" : "warn",
      columns: [
        { name: "id", says: "Request", value: (row) => row.id, show: (row) => requestLink(context, row.id) },
        ...this.manages ? [{ name: "act", says: "Act", show: (/** @type {any} */ row) => this.toAuthorize(row) }] : [],
        { name: "due", says: "Due", value: (row) => row.due, show: (row) => row.due ? until(row.due, now) : "" },
        { name: "class", says: "Service", value: (row) => words(row.class) },
        {
          name: "window",
          says: "Window",
          value: (row) => row.earliest,
          show: (row) => `${context.zone.moment(row.earliest, now)}–${context.zone.time(row.latest)}`,
        },
      ],
    };
    keepingFocus(
      this.held,
      () => fill(this.held, section("Held until it is authorized", csvButton(options), table(options))),
    );
  }

  /** @param {any} row */
  toAuthorize(row) {
    return button("Authorize…", () => authorize(row, this.context), { "aria-label": `Authorize ${row.id}` });
  }

  async read() {
    const { api, signal } = this.context;
    if (!this.context.may(...LISTS)) return;
    await reading(this.all, signal, async () => {
      /** @type {any[]} */
      const found = [];
      for await (const page of api.pages("/authorizations", { limit: 200 }, signal)) {
        found.push(...page.authorizations);
        if (found.length >= MOST) break;
      }
      return found;
    }, (found) => this.drawn(found));
  }

  /** @param {any[]} rows */
  drawn(rows) {
    const { context } = this, today = context.zone.date(context.clock.now());
    const over = (/** @type {any} */ row) => row.state !== "active" || row.last_day < today;
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Authorizations",
      file: "authorizations",
      rows: [...rows.filter((row) => !over(row)), ...rows.filter(over)],
      empty: "None was entered yet.",
      tone: (row) => over(row) ? "" : row.left ? "good" : "warn",
      columns: [
        { name: "id", says: "Id", value: (row) => row.id, show: (row) => h("span", { class: "mono" }, row.id) },
        ...this.manages
          ? [{ name: "act", says: "Act", show: (/** @type {any} */ row) => row.state === "active" && this.acts(row) }]
          : [],
        { name: "number", says: "Payer's number", value: (row) => row.number },
        { name: "payer", says: "Payer", value: (row) => row.payer },
        { name: "services", says: "For", value: (row) => row.services.map(words).join(", ") },
        { name: "left", says: "Left", value: leftSays },
        { name: "days", says: "Days", value: (row) => `${row.first_day} to ${row.last_day}` },
        {
          name: "state",
          says: "State",
          value: (row) => row.state === "active" && row.last_day < today ? "ended" : row.state,
        },
        {
          name: "requests",
          says: "Whose",
          value: (row) => row.requests.join(" ") || "a patient's",
          show: (row) =>
            row.requests.length
              ? row.requests.map((/** @type {string} */ id) => [requestLink(context, id), " "])
              : "a patient's",
        },
      ],
    };
    return section(
      rows.length < MOST ? "Authorizations" : `The first ${MOST} authorizations to end`,
      csvButton(options),
      table(options),
    );
  }

  /** @param {any} row */
  acts(row) {
    const { context } = this;
    return [
      button("Renew…", () => renew(row.id, context), { "aria-label": `Renew ${row.id}` }),
      " ",
      button("Revoke…", () => revoke(row.id, context), { class: "quiet", "aria-label": `Revoke ${row.id}` }),
    ];
  }
}
