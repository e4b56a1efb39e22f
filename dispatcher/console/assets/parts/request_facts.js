/**
 * How one request stands, fact by fact.
 * @module
 */

import { h } from "../core/dom.js";
import { spoken } from "../core/spoken.js";
import { until } from "../core/time.js";
import { counterSays } from "./acts/counter.js";
import { priceOf } from "./price.js";
import { money, words } from "./state.js";
import { vendorLink } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

/**
 * How a request stands, as a list of facts; what it has not is not there.
 * @param {any} view @param {Context} context @param {number} now
 */
export function factsOf(view, context, now) {
  const { zone, href } = context,
    time = (/** @type {string | undefined} */ at) => at ? zone.moment(Date.parse(at), now) : "";
  const asked = view.asked || {}, match = view.match;
  /** @type {[string, any][]} */
  const facts = [
    ["Kind", words(view.kind) + (asked.level_of_service ? `, ${words(asked.level_of_service)}` : "")],
    ["Priority", asked.priority || "routine"],
    [
      "Window",
      view.window &&
      `${time(view.window.earliest)} – ${zone.time(Date.parse(view.window.latest))} ${zone.abbreviation(now)}`,
    ],
    [
      "Vendor found by",
      context.store.get(view.id)?.ended ? "" : `${time(view.match_by)} (${until(Date.parse(view.match_by), now)})`,
    ],
    ["Whose work now", words(view.owner)],
    [
      "Waits for",
      waitsFor(view, href),
    ],
    [
      "Vendor",
      match &&
      h(
        "span",
        {},
        vendorLink(context, match.vendor_id),
        match.start_at ? ` at ${time(match.start_at)}` : "",
        match.price_cents === undefined ? "" : `, ${money(match.price_cents)}`,
      ),
    ],
    ["Price", priceOf(view)],
    ...countered(view, context),
    ["Reported", view.status && words(view.status)],
    ["Goes after", links(view.after, "request", href)],
    ["Goes before", links(view.before, "", href)],
    ["Way back of", view.return_of && h("a", { href: href("request", [view.return_of]) }, view.return_of)],
    ["Standing order", view.standing_order],
    ["Identifiers", (asked.identifiers || []).map(identifier).join(", ")],
    ["Authorization", view.authorization && h("a", { href: href("care", ["authorizations"]) }, view.authorization)],
    ["Barrier", view.barrier && words(view.barrier.code) + (view.barrier.suggested ? " (suggested)" : "")],
    ["At the telephone", spoken(view.id)],
    ["Version", view.version],
  ];
  return h(
    "dl",
    { class: "facts" },
    facts.filter(([, value]) => value !== undefined && value !== "" && value !== null && value !== false).flatMap((
      [name, value],
    ) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

/** @param {any} view @param {Context["href"]} href */
function waitsFor({ waits_for: all = [] }, href) {
  if (!all.length) return "";
  return h(
    "span",
    {},
    all.flatMap((/** @type {any} */ { requirement, owner }, /** @type {number} */ nth) => [
      nth ? ", " : "",
      requirement === "authorization"
        ? h("a", { href: href("care", ["authorizations"]) }, "authorization")
        : words(requirement),
      ` (${words(owner)})`,
    ]),
  );
}

/** What its vendors would have done otherwise, and what became of that. @param {any} view @param {Context} context @returns {[string, string][]} */
function countered(view, context) {
  return (view.attempts || []).filter((/** @type {any} */ each) => each.counter).map((/** @type {any} */ each) => {
    const says = counterSays(each.counter, context).map(([name, value]) => `${name.toLowerCase()} ${value}`).join("; ");
    return ["Counter-offer", `${each.vendor_id} (${words(each.counter.state)}): ${says}`];
  });
}

/** A number of somebody's own. @param {{ system?: string, value: string }} one */
const identifier = ({ system = "", value }) => `${system} ${value}`.trim();

/** @param {any[] | undefined} all @param {string} field @param {Context["href"]} href */
function links(all, field, href) {
  const ids = (all || []).map((each) => field ? each[field] || "" : each).filter(Boolean);
  return ids.length > 0 &&
    h("span", {}, ids.flatMap((id, nth) => [nth ? ", " : "", h("a", { href: href("request", [id]) }, id)]));
}
