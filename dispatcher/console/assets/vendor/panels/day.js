/**
 * The rides of today and tomorrow, in order.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { level, mapLink, orphans, redraw, said, trouble } from "../core/pieces.js";
import { ms } from "../core/times.js";
import { statusOf } from "./ride_acts.js";

/** @typedef {import("../core/app.js").Context} Context */

export const ENDED = ["completed", "no_show", "failed", "turned_back"];
export const title = () => t("day.title");

/** @param {HTMLElement} root @param {Context} context */
export function mount(root, context) {
  const { world, taps, signal, times, clock } = context;
  const draw = () => {
    const today = times.date(clock.now()), tomorrow = times.later(today, 1);
    redraw(
      root,
      h("h1", {}, title()),
      world.error ? trouble(said(world.error)) : null,
      orphans(context),
      section("today", today, context),
      section("tomorrow", tomorrow, context),
    );
  };
  world.onChange(draw, signal);
  signal.addEventListener("abort", taps.onChange(draw));
  draw();
  if (world.loaded) world.again(); // another phone of the vendor may have said something
}

/** @param {string} which @param {string} date @param {Context} context */
function section(which, date, context) {
  const { world, taps, times } = context;
  const all = [...(which === "today" ? before(date, context) : []), ...world.day(date)];
  const over = (/** @type {any} */ each) => ENDED.includes(statusOf(each, taps).status);
  const items = (/** @type {any[]} */ of) =>
    h("ol", { class: "cards" }, of.map((each) => h("li", {}, card(each, date, context))));
  const done = all.filter(over), left = all.filter((each) => !over(each));
  return h(
    "section",
    { "aria-labelledby": `day-${which}` },
    h("h2", { id: `day-${which}` }, `${t(`day.${which}`)} · ${times.called(date)}`),
    left.length ? items(left) : h("p", { class: "empty" }, t(world.loaded ? "day.none" : "loading")),
    done.length ? [h("h3", {}, t("day.done")), items(done)] : null,
  );
}

/** What was agreed for an earlier day and has not ended. @param {string} date @param {Context} context */
function before(date, { world, times }) {
  return [...world.dispatches.values()].filter((each) =>
    times.date(each.offer.start_at) < date && each.offer.state === "accepted"
  );
}

/** @param {any} dispatch @param {string} date under which it stands @param {Context} context */
function card(dispatch, date, { taps, times, clock }) {
  const { offer, patient } = dispatch, { status, waits } = statusOf(dispatch, taps);
  const late = Math.floor((clock.now() - ms(offer.start_at)) / 60_000);
  const isLate = late > 0 && ["", "en_route"].includes(status);
  return h(
    "article",
    { class: "card ride-card", dataset: { ride: dispatch.id, status } },
    h(
      "a",
      { class: "whole", href: `/vendor/ride/${dispatch.id}`, dataset: { at: dispatch.id } },
      h(
        "span",
        { class: "when" },
        times.date(offer.start_at) === date ? times.time(offer.start_at) : times.moment(offer.start_at, clock.now()),
      ),
      h("span", { class: "who patient" }, patient?.name || t("ride.noPatient")),
      h("span", { class: "soft patient" }, patient?.pickup_address || ""),
      h("span", { class: "soft" }, level(offer)),
      h("span", { class: "status", dataset: { status } }, t(`status.${status || "none"}`), waits ? " …" : ""),
      isLate ? h("span", { class: "late" }, t("ride.late", { n: late })) : null,
    ),
    ENDED.includes(status)
      ? null
      : mapLink(dispatch.pickup, t("ride.map"), `${t("ride.map")}, ${times.time(offer.start_at)}`),
  );
}
