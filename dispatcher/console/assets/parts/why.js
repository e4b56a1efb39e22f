/**
 * Why a request has no vendor, and what would free it; why it has the one it has.
 * @module
 */

import { h } from "../core/dom.js";
import { money } from "./state.js";
import { changeSays, ruleSays, sentence } from "./words.js";
import { requestLink, vendorLink } from "./view.js";
import { reason } from "../core/story.js";

/** @typedef {import("../core/app.js").Context} Context */

/**
 * By which rule the last vendor went, and what would free it.
 * @param {any} found the `unmatched` of a request
 * @param {Context} context
 */
export function whyNoVendor(found, context) {
  const removed = (found.removed || []).toSorted((/** @type {any} */ a, /** @type {any} */ b) => b.vendors - a.vendors);
  return [
    h("h2", { id: "why" }, "Why it has no vendor"),
    h(
      "p",
      {},
      found.competition
        ? "Some vendors fit, and their capacity went to other requests."
        : `${sentence(ruleSays(found.last_rule))}. That was the last of ${found.vendors ?? 0} vendors.`,
    ),
    found.gave_way_to && h(
      "p",
      { class: "keyline" },
      "It gave way to ",
      requestLink(context, found.gave_way_to),
      ", which is of a group that waits, or goes unmatched, more than the others.",
    ),
    found.hint && h("p", { class: "keyline" }, found.hint),
    removed.length > 0 &&
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", {}, "Rule"), h("th", { class: "number" }, "Vendors that it removed"))),
      h(
        "tbody",
        {},
        removed.map((/** @type {any} */ each) =>
          h("tr", {}, h("td", {}, reason(each.rule)), h("td", { class: "number" }, each.vendors))
        ),
      ),
    ),
    relaxations(found.relaxations || [], context),
  ];
}

/** @param {any[]} all @param {Context} context */
function relaxations(all, context) {
  const { zone, clock } = context;
  const what = (/** @type {any} */ change) => changeSays(change, (iso) => zone.moment(Date.parse(iso), clock.now()));
  return all.length > 0 && [
    h("h3", {}, "What would free it"),
    h(
      "ul",
      { class: "plain" },
      all.slice(0, 5).map((each) =>
        h(
          "li",
          {},
          vendorLink(context, each.vendor_id),
          ` at ${zone.moment(Date.parse(each.start_at), clock.now())}: `,
          each.changes.map(what).join(", and "),
        )
      ),
    ),
  ];
}

/** Who came next; and what made it dearer than who was chosen, if one thing did. @param {any} each */
const runnerUp = (each) =>
  each.but_for ? `${each.vendor_id} (cheaper but for “${reason(each.but_for)}”)` : each.vendor_id;

/** What its vendor cost, term by term, and who came next. @param {any} match */
export function whyThisVendor(match) {
  const line = (/** @type {any} */ name, /** @type {any} */ value) =>
    h("tr", {}, h("td", {}, name), h("td", { class: "number" }, value));
  const next = match.runners_up || [];
  return [
    h("h2", { id: "match" }, `Why ${match.vendor_id}`),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", {}, "By rule"), h("th", { class: "number" }, "Cost"))),
      h("tbody", {}, match.terms.map((/** @type {any} */ each) => line(reason(each.rule), money(each.cost_cents)))),
    ),
    next.length > 0 && h("p", {}, "Came next: ", next.map(runnerUp).join(", ")),
  ];
}
