/**
 * One vendor: state, outcomes, papers, capacity of today as posted and booked, the work that it has.
 * @module
 */

import { h, svg } from "../core/dom.js";
import { whoOf } from "../core/story.js";
import { span } from "../core/time.js";
import { onboard, stateOf } from "./acts/onboard.js";
import { pauseOrResume } from "./acts/pause.js";
import { phoneOf } from "./acts/phone.js";
import { figure } from "./figure.js";
import { stateMark } from "./state.js";
import { csvButton, table } from "./table.js";
import { capacity } from "./vendor_capacity.js";
import { ask as askCap, capsOf, readCaps } from "./vendor_caps.js";
import { phonesOf } from "./vendor_phones.js";
import { whyNoOffers } from "./vendor_why.js";
import { button, dollars, percent, reading, requestLink, section, words } from "./view.js";
import { papersOf, verifyPapers } from "./papers.js";
import { readScore, scoreOf } from "./vendor_score.js";
import { codeSays } from "./words.js";

const OUTCOMES = ["on_time", "done", "late", "no_show", "accepted", "declined", "expired", "turned_back", "failed"];
/** @type {Record<string, string>} */
const SAYS = {
  on_time: "done on time",
  done: "done, arrival not reported",
  late: "late",
  no_show: "patient not there",
  accepted: "accepted",
  declined: "declined",
  expired: "not answered in time",
  turned_back: "turned back",
  failed: "failed",
};
const BADLY = new Set(["late", "declined", "expired", "turned_back", "failed"]);

/** The panel of one vendor. */
export class VendorPanel {
  /**
   * @param {import("../core/app.js").Context} context
   * @param {string} id
   */
  constructor(context, id) {
    this.context = context;
    this.id = id;
    this.node = h("div", { class: "page-part" });
    /** @type {any} */
    this.vendor = null;
    /** @type {import("./vendor_caps.js").Read | null} */
    this.caps = null;
  }

  /** @returns {Promise<void>} */
  read() {
    return reading(this.node, this.context.signal, () => this.ask(), (found) => this.draw(found));
  }

  async ask() {
    const { api, zone, clock, signal } = this.context;
    const [vendor, summary, day, work, score, why, caps, phones] = await Promise.all([
      api.get(`/vendors/${this.id}`, {}, signal),
      this.summary(),
      api.get(`/days/${zone.date(clock.now())}/capacity`, {}, signal).catch(() => null),
      api.get("/requests", { vendor_id: this.id, limit: 100 }, signal),
      readScore(this.context, this.id),
      api.get(`/vendors/${this.id}/why`, {}, signal),
      readCaps(this.context, this.id),
      api.get(`/vendors/${this.id}/sessions`, {}, signal),
    ]);
    this.vendor = vendor;
    this.caps = caps;
    return { vendor, summary, day, work: work.requests, score, why, caps, phones };
  }

  /** Its line in the list of vendors. */
  async summary() {
    const page = await this.context.api.get("/vendor-outcomes", { vendor_id: this.id }, this.context.signal);
    return page.vendors[0] || null;
  }

  /** @param {{ vendor: any, summary: any, day: any, work: any[], score: any, why: any, caps: import("./vendor_caps.js").Read, phones: any }} found */
  draw({ vendor, summary, day, work, score, why, caps, phones }) {
    return [
      this.figures(vendor, summary, work),
      h(
        "div",
        { class: "columns" },
        this.state(vendor),
        summary && this.outcomes(summary),
      ),
      papersOf(vendor, this.context, () => this.read()),
      ...scoreOf(score, this.context, () => this.read()),
      capacity(this.id, day),
      capsOf(this.id, caps, this.context, () => this.read()),
      this.work(work),
      whyNoOffers(this.id, why),
      phonesOf(this.id, phones, this.context, () => this.read()),
      this.facts(vendor),
    ];
  }

  /** @param {any} vendor @param {any} summary @param {any[]} work */
  figures(vendor, summary, work) {
    const state = stateOf(vendor), takes = state === "active" && !vendor.paused && !vendor.ops_pause;
    const says = takes ? "takes work" : state === "active" ? "paused" : state;
    return h(
      "div",
      { class: "figures" },
      figure({ value: says, says: vendor.name, tone: takes ? "good" : "bad" }),
      summary && figure({ value: percent(summary.went_well), says: "of its work went well" }),
      summary && figure({ value: percent(summary.matching_share), says: "is what matching takes it for" }),
      figure({
        value: work.length,
        says: "offers and dispatches",
        href: this.context.href("board", [], { vendor: this.id }),
      }),
      summary && figure({
        value: summary.to_verify.length,
        says: "papers to verify",
        tone: summary.to_verify.length ? "warn" : "",
      }),
    );
  }

  /** @param {any} vendor */
  state(vendor) {
    const { zone, clock } = this.context, pause = vendor.ops_pause;
    const act = pause
      ? button(`Resume ${this.id}`, () => this.pauseOrResume(), { class: "primary", title: "p" })
      : button(`Pause ${this.id} …`, () => this.pauseOrResume(), { class: "grave", title: "p" });
    return section(
      "State",
      h(
        "span",
        { class: "acts" },
        button("Onboarding …", () => this.onboard(), { title: "o" }),
        button("Phone …", () => phoneOf(this.context, this.id).then(() => this.read())),
        act,
      ),
      onboardingOf(vendor, zone, clock),
      pause
        ? h("p", {}, `Paused by ${whoOf(pause)}, ${zone.moment(Date.parse(pause.at), clock.now())}: “${pause.reason}”`)
        : h("p", {}, vendor.paused ? "It paused itself: only it can end that." : "It is offered work."),
      vendor.paused && pause && h("p", { class: "soft" }, "It has paused itself as well."),
      h(
        "p",
        { class: "soft" },
        vendor.answer?.mode === "assumed"
          ? `Silence is acceptance, after ${span((vendor.answer.reject_within_s ?? 600) * 1_000)}.`
          : `Has ${span((vendor.answer?.time_limit_s ?? 600) * 1_000)} to answer an offer.`,
      ),
    );
  }

  /** @returns {Promise<void>} */
  pauseOrResume() {
    const reason = this.vendor?.ops_pause?.reason;
    return pauseOrResume(this.context, this.id, reason).then((done) => done ? this.read() : undefined);
  }

  /** @returns {Promise<void> | undefined} */
  onboard() {
    if (!this.vendor) return undefined;
    return onboard(this.context, this.id, this.vendor).then((done) => done ? this.read() : undefined);
  }

  addCap() {
    return this.caps ? askCap(this.id, this.caps, this.context, () => this.read()) : undefined;
  }

  verify() {
    return this.vendor ? verifyPapers(this.vendor, this.context, () => this.read()) : undefined;
  }

  /** @param {any} summary */
  outcomes(summary) {
    const rows = OUTCOMES.filter((each) => summary.outcomes[each]).map((each) => ({
      each,
      count: summary.outcomes[each],
    }));
    const most = Math.max(1, ...rows.map((each) => each.count));
    const declines = Object.entries(summary.outcomes).filter(([name, count]) => name.startsWith("declined.") && count);
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Outcomes",
      file: `${this.id}-outcomes`,
      rows,
      empty: "Nothing has come of its work yet, this month and the last.",
      tone: (row) => BADLY.has(row.each) ? "warn" : "",
      columns: [
        { name: "outcome", says: "Outcome", value: (row) => SAYS[row.each] },
        { name: "count", says: "How often", value: (row) => row.count, end: true },
        { name: "bar", says: "Share", show: (row) => bar(row.count / most) },
      ],
    };
    return section(
      "Outcomes, this month and the last",
      csvButton(options),
      table(options),
      summary.late_minutes > 0 && h("p", { class: "soft" }, `${summary.late_minutes} minutes late altogether.`),
      declines.length > 0 &&
        h(
          "p",
          { class: "soft" },
          `Declined for: ${declines.map(([name, count]) => `${codeSays(name.slice(9))} (${count})`).join(", ")}.`,
        ),
    );
  }

  /** @param {any[]} work */
  work(work) {
    const { context } = this, now = context.clock.now();
    /** @type {import("./table.js").TableOptions<any>} */
    const options = {
      label: "Offers and dispatches",
      file: `${this.id}-work`,
      rows: work,
      empty: "It has no work now.",
      columns: [
        { name: "id", says: "Request", value: (row) => row.id, show: (row) => requestLink(context, row.id) },
        { name: "state", says: "State", value: (row) => row.state, show: (row) => stateMark(row.state) },
        {
          name: "start_at",
          says: "Start",
          value: (row) => row.match?.start_at || "",
          show: (row) => row.match?.start_at ? context.zone.moment(Date.parse(row.match?.start_at), now) : "–",
        },
        {
          name: "price_cents",
          says: "Price",
          value: (row) => row.match?.price_cents ?? "",
          show: (row) => row.match ? dollars(row.match.price_cents) : "",
          end: true,
        },
      ],
    };
    return section("Offers and dispatches", csvButton(options), table(options));
  }

  /** @param {any} vendor */
  facts(vendor) {
    const facts = [
      ["Serves", (vendor.levels_of_service || []).map(words).join(", ") || "–"],
      ["Equipment", (vendor.hcpcs || []).join(", ") || "–"],
      ["Skills", (vendor.skills || []).map(words).join(", ") || "–"],
      ["Oxygen", `up to ${vendor.max_oxygen_l_min ?? 0} L/min`],
      ["Stairs", `up to ${vendor.max_stairs ?? 0}`],
      ["Weight", `up to ${vendor.max_weight_kg ?? 136} kg`],
      ["Attendants", `up to ${vendor.max_attendants ?? 4}`],
      ["NPI", vendor.npi || "–"],
    ];
    return section(
      "What it says of itself",
      null,
      h("dl", { class: "facts" }, facts.map(([name, says]) => [h("dt", {}, name), h("dd", {}, says)])),
    );
  }
}

/** @param {any} vendor @param {any} zone @param {any} clock */
function onboardingOf(vendor, zone, clock) {
  const said = vendor.onboarding;
  if (!said) return null;
  const when = zone.moment(Date.parse(said.at), clock.now()), why = said.reason ? `: “${said.reason}”` : "";
  return h("p", {}, `${said.state} since ${when}, by ${whoOf(said)}${why}.`);
}

/** @param {number} share */
function bar(share) {
  return svg(
    "svg",
    { viewBox: "0 0 100 8", width: 100, height: 8, "aria-hidden": "true", class: "outcome-bar" },
    svg("rect", { width: 100, height: 8, class: "bar-mark soft" }),
    svg("rect", { width: Math.max(1, share * 100), height: 8, class: "bar-mark" }),
  );
}
