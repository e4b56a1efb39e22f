/**
 * Open offers, each with its time running down: accept, decline, or offer otherwise.
 * @module
 */

import { h } from "../../core/dom.js";
import { spoken } from "../../core/spoken.js";
import { money, t } from "../core/messages.js";
import {
  level,
  mapLink,
  needs,
  nothing,
  onTheirWay,
  orphans,
  priceTable,
  redraw,
  said,
  steady,
  trouble,
  untilElement,
} from "../core/pieces.js";
import { distance, route } from "../core/route.js";
import { ms } from "../core/times.js";

/** @typedef {import("../core/app.js").Context} Context */

export const title = () => t("offers.title");
const few = () => import("./few_answers.js"); // no first load

/** @param {HTMLElement} root @param {Context} context */
export function mount(root, context) {
  const { world, taps, signal } = context;
  /** @type {HTMLElement | null} */
  let onboarding = null;
  let asked = false;
  const ask = async () => {
    asked = true;
    onboarding = await (await import("./onboarding.js")).ownOnboarding(context);
    if (!signal.aborted) draw();
  };
  const draw = () => {
    if (world.loaded && !world.open.length && !asked) ask().catch(() => undefined);
    const open = [...world.open].sort((one, other) => ms(one.expires_at) - ms(other.expires_at));
    redraw(
      root,
      h("h1", {}, title()),
      world.error ? trouble(said(world.error)) : null,
      orphans(context),
      onboarding,
      list(open, context),
    );
  };
  world.onChange(draw, signal);
  const stop = taps.onChange(draw);
  signal.addEventListener("abort", stop);
  draw();
}

/** @param {any[]} open @param {Context} context */
function list(open, context) {
  if (open.length) return h("ul", { class: "cards" }, open.map((each) => h("li", {}, card(each, context))));
  return nothing(context.world, "offers.none");
}

/** @param {any} offer @param {Context} context */
function card(offer, context) {
  const { times, clock, taps, session } = context, name = `offer-${offer.id}`, way = route(offer, session.places);
  const answered = taps.of(offer.id).some((each) => !each.refused && each.kind !== "counter");
  const facts = [level(offer), distance(offer), t("offer.duration", { n: offer.duration_minutes }), ...needs(offer)];
  return h(
    "article",
    { class: "card", "aria-labelledby": name, dataset: { offer: offer.id } },
    h(
      "div",
      { class: "head" },
      h("h2", { id: name }, times.moment(offer.start_at, clock.now())),
      h("span", { class: "price" }, money(offer.price_cents)),
    ),
    way && h("p", { class: "route" }, way),
    h("p", { class: "answer" }, t("offer.answer"), " ", untilElement(offer.expires_at)),
    h(
      "div",
      { class: "beside" },
      h(
        "p",
        { class: "soft" },
        t("offer.window", { from: times.time(offer.window.earliest), to: times.time(offer.window.latest) }),
      ),
      mapLink(offer.pickup_zone, t("ride.map"), `${t("offer.area")}, ${times.time(offer.start_at)}`),
    ),
    h("ul", { class: "facts" }, facts.filter(Boolean).map((each) => h("li", {}, each))),
    offer.priority === "routine" ? null : h("p", { class: "pressing" }, t("pressing")),
    standing(offer, context),
    h(
      "details",
      {},
      h("summary", { dataset: { at: `price ${offer.id}` } }, t("offer.price")),
      priceTable(offer.price_lines, offer.price_cents),
      rates(offer),
    ),
    h("p", { class: "soft" }, t("spoken", { n: spoken(offer.request_id) })),
    onTheirWay(taps, offer.id),
    answered ? null : buttons(offer, context, name),
  );
}

/** @param {any} offer */
function rates({ rates: { waiting_half_hour_cents: cents, waiting_free_minutes: n } }) {
  return cents ? h("p", { class: "soft" }, t("price.rates", { price: money(cents), n })) : null;
}

/** What was said of it, and what silence means. @param {any} offer @param {Context} context */
function standing(offer, { times, clock }) {
  const { counter } = offer;
  if (offer.willing) {
    return h(
      "p",
      { class: "good" },
      t("offer.willing", { time: times.moment(offer.decided_by || offer.expires_at, clock.now()) }),
    );
  }
  if (counter?.state === "pending") {
    const what = `${times.moment(counter.start_at, clock.now())}, ${money(counter.price_cents)}`;
    return h("p", { class: "good" }, t("offer.countered", { what }));
  }
  if (counter?.state === "refused") return h("p", { class: "warn" }, t("offer.counter.refused"));
  return offer.assumed ? h("p", { class: "warn" }, t("offer.assumed")) : null;
}

/** @param {any} offer @param {Context} context @param {string} name */
function buttons(offer, context, name) {
  const button = (/** @type {string} */ what, /** @type {() => void} */ act, primary = "") =>
    h(
      "button",
      { class: primary, onclick: act, "aria-describedby": name, dataset: { at: `${what} ${offer.id}` } },
      t(`offer.${what}`),
    );
  return h(
    "div",
    { class: "acts" },
    offer.willing ? null : button("accept", steady(() => void answer(offer, context, "accept", {})), "primary"),
    button("decline", () => void few().then(({ decline }) => decline(offer, context))),
    offer.willing ? null : button("counter", () => void few().then(({ counter }) => counter(offer, context))),
  );
}

/** @param {any} offer @param {Context} context @param {string} kind @param {any} body */
export function answer(offer, { taps, api, times, clock }, kind, body) {
  const label = times.moment(offer.start_at, clock.now());
  return taps.put({
    about: offer.id,
    label,
    kind,
    method: "POST",
    path: `${api.base}/offers/${offer.id}/${kind}`,
    body,
  });
}
