/**
 * Why no offers come: what was asked for in the last days, how much of it which rule took away, and what helps.
 * @module
 */

import { h } from "../../core/dom.js";
import { figure, has, t } from "../core/messages.js";
import { POUNDS_A_KILOGRAM, redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import "./lost_words.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const PERIODS = [1, 7, 30], USUAL = "7", WEIGHT = "max_weight_kg";
/** Where the vendor sets right what a rule asks for. @type {Record<string, string>} */
const PLACES = { pools: "capacity", capacity: "capacity", credentials: "papers", onboarding: "papers" };

export const title = () => t("lost.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, session, signal } = context, shown = h("div", { class: "cards", "aria-live": "polite" });
  const period = h(
    "select",
    { onchange: () => void read() },
    PERIODS.map((n) => h("option", { value: n }, n === 1 ? t("day.today") : t("scorecard.days", { n }))),
  );
  period.value = USUAL;
  root.append(
    h("a", { class: "back", href: "/vendor/more" }, t("back")),
    h("h1", {}, title()),
    field(t("scorecard.period"), period),
    shown,
  );
  const read = async () => {
    const days = period.value;
    try {
      const found = await api.get(`/vendors/${session.vendor_id}/why`, { days }, signal);
      if (period.value === days) redraw(shown, told(found));
    } catch (error) {
      if (!signal.aborted) redraw(shown, trouble(said(error)));
    }
  };
  redraw(shown, h("p", { class: "empty" }, t("loading")));
  addEventListener("back", () => void read(), { signal });
  await read();
}

/** @param {any} why */
function told({ decided, offered, others, lost }) {
  if (!decided) return h("p", { class: "empty" }, t("lost.nothing"));
  return [
    h(
      "ul",
      { class: "plain" },
      [["decided", decided], ["offered", offered], ["others", others]].map(([what, n]) =>
        h("li", {}, t(`lost.${what}`, { n: figure(n) }))
      ),
    ),
    lost.length ? h("h2", {}, t("lost.rules")) : h("p", { class: "good" }, t("lost.no")),
    lost.map(rule),
  ];
}

/** @param {any} lost */
function rule({ rule, says, requests, services, remedies }) {
  const place = PLACES[rule];
  const named = Object.entries(services).map(([each, n]) =>
    `${t(`level.${each}`)} × ${figure(/** @type {any} */ (n))}`
  );
  return h(
    "article",
    { class: "card", dataset: { rule } },
    h("h3", {}, `${figure(requests)} · ${has(`rule.${rule}`) ? t(`rule.${rule}`) : says}`),
    h("p", { class: "soft" }, named.join(", ")),
    remedies.length
      ? h("ul", { class: "plain" }, remedies.map((/** @type {any} */ each) => h("li", {}, remedy(rule, each))))
      : null,
    place ? h("a", { class: "button", href: `/vendor/${place}` }, t(`${place}.title`)) : null,
  );
}

/** @param {string} rule @param {any} remedy */
function remedy(rule, { says, requests, what, pool, at_least }) {
  const amount = at_least && figure(what === WEIGHT ? at_least * POUNDS_A_KILOGRAM : at_least, 0);
  const own = amount ? `limit.${what}` : what ? `get.${rule}` : `do.${rule}`;
  const name = has(`skill.${what}`) ? t(`skill.${what}`) : what;
  const text = has(own) ? t(own, { what: name, n: amount || "" }) : says;
  return t("lost.helps", { what: pool ? `${pool}: ${text}` : text, n: figure(requests) });
}
