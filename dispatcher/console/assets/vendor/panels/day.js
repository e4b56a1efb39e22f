/**
 * The rides of today and tomorrow, in order; what was done yesterday.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { level, mapLink, nothing, orphans, redraw, said, trouble } from "../core/pieces.js";
import { ms } from "../core/times.js";
import { statusOf } from "./ride_acts.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

export const ENDED = ["completed", "no_show", "failed", "turned_back", "cancelled"];
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
      yesterday(times.later(today, -1), context),
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
  const done = all.filter(over), left = all.filter((each) => !over(each));
  return h(
    "section",
    { "aria-labelledby": `day-${which}` },
    h("h2", { id: `day-${which}` }, `${t(`day.${which}`)} · ${times.called(date)}`),
    left.length ? list(left, date, context) : nothing(world, "day.none"),
    done.length ? [h("h3", {}, t("day.done")), list(done, date, context)] : null,
  );
}

/** What was done the day before: read once somebody wants to see it. @param {string} date @param {Context} context */
function yesterday(date, context) {
  const { world, times } = context, of = world.day(date).filter((each) => each.offer.state !== "accepted");
  const open = (/** @type {Event} */ event) => {
    if (/** @type {HTMLDetailsElement} */ (event.target).open) void world.look(date);
  };
  return h(
    "details",
    { ontoggle: open },
    h("summary", { dataset: { at: "yesterday" } }, `${t("day.yesterday")} · ${times.called(date)}`),
    of.length ? list(of, date, context) : h("p", { class: "empty" }, t(world.looked.get(date) || "loading")),
  );
}

/** @param {any[]} of @param {string} date @param {Context} context */
const list = (of, date, context) =>
  h("ol", { class: "cards" }, of.map((each) => h("li", {}, card(each, date, context))));

/** What was agreed for an earlier day and has not ended. @param {string} date @param {Context} context */
function before(date, { world, times }) {
  return [...world.dispatches.values()].filter((each) =>
    times.date(each.offer.start_at) < date && each.offer.state === "accepted"
  );
}

/** @param {any} dispatch @param {string} date under which it stands @param {Context} context */
function card(dispatch, date, { world, taps, times, clock }) {
  const { offer, patient } = dispatch, { status, waits } = statusOf(dispatch, taps);
  const unread = world.unreadOn(dispatch.id);
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
      unread ? h("span", { class: "badge inline" }, t("day.count", { n: unread })) : null,
      isLate ? h("span", { class: "late" }, t("ride.late", { n: late })) : null,
    ),
    ENDED.includes(status)
      ? null
      : mapLink(dispatch.pickup, t("ride.map"), `${t("ride.map")}, ${times.time(offer.start_at)}`),
  );
}
