/**
 * One dispatch: who, where, what next; each step one tap, with ten seconds to undo it.
 * @module
 */

import { h } from "../../core/dom.js";
import { spoken } from "../../core/spoken.js";
import { t } from "../core/messages.js";
import { level, mapLink, needs, onTheirWay, redraw, said, steady, trouble } from "../core/pieces.js";
import { choose } from "./sheet.js";
import { ENDED } from "./day.js";
import { next, otherwise, report, saying, statusOf } from "./ride_acts.js";
import { priceCard, waitButton } from "./waits.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

export const title = () => t("ride.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, world, taps, signal, path: [id = ""] } = context;
  /** @type {any} */
  let price = null;
  /** @type {unknown} */
  let error = null;
  const gone = () => [
    h("h1", {}, title()),
    error ? trouble(said(error)) : h("p", { class: "empty" }, t(world.loaded ? "ride.gone" : "loading")),
  ];
  const draw = () => {
    const found = world.dispatches.get(id);
    redraw(
      root,
      h("a", { class: "back", href: "/vendor/day" }, t("back")),
      found ? shown(found, price, context) : gone(),
    );
  };
  const read = async () => {
    const known = world.dispatches.get(id), asked = api.get(`/dispatches/${id}/price`, {}, signal);
    const [work, cost] = await Promise.allSettled([!known || "pickup" in known ? world.dispatch(id) : known, asked]);
    if (cost.status === "fulfilled") price = cost.value; // also of work that is no longer its vendor's
    error = [work, cost].map((each) => each.status === "rejected" ? each.reason : null).find(Boolean);
    if (!signal.aborted) draw();
  };
  world.onChange(draw, signal);
  signal.addEventListener("abort", taps.onChange((sent) => sent?.about === id ? void read() : draw()));
  navigator.serviceWorker?.addEventListener("controllerchange", () => void read(), { signal }); // it keeps what is read
  addEventListener("told", (event) => {
    const { subject = "" } = /** @type {CustomEvent} */ (event).detail;
    if (subject === id) void read(); // it costs otherwise, for one: called off, or a line was settled
  }, { signal });
  draw();
  await read();
}

/** @param {any} dispatch @param {any} price @param {Context} context */
function shown(dispatch, price, context) {
  const { offer, patient = {} } = dispatch, { taps, times, clock } = context, { status } = statusOf(dispatch, taps);
  const unread = context.world.unreadOn(dispatch.id), isMine = "pickup" in dispatch; // else it was given back
  const isTrip = offer.kind === "trip", facts = [level(offer), ...needs(offer)];
  return [
    h("h1", { class: "patient" }, patient.name || t("ride.noPatient")),
    h(
      "p",
      { class: "head" },
      h("span", { class: "when" }, times.moment(offer.start_at, clock.now())),
      h("span", { class: "status", dataset: { status } }, t(`status.${status || "none"}`)),
    ),
    onTheirWay(taps, dispatch.id),
    offer.amendment
      ? h("a", { class: "button primary", href: `/vendor/amendment/${dispatch.id}` }, t("ride.amendment"))
      : null,
    steps(dispatch, price, status, context),
    h("ul", { class: "facts" }, facts.map((each) => h("li", {}, each))),
    dispatch.pickup ? place(t(isTrip ? "ride.pickup" : "ride.deliver"), patient.pickup_address, dispatch.pickup) : null,
    dispatch.dropoff ? place(t("ride.dropoff"), patient.dropoff_address, dispatch.dropoff) : null,
    patient.phone
      ? h(
        "p",
        {},
        h(
          "a",
          { class: "button patient", href: `tel:${patient.phone.replace(/[^+\d]/g, "")}` },
          t("ride.call"),
          ` ${patient.phone}`,
        ),
      )
      : null,
    patient.notes
      ? h("section", { class: "card" }, h("h2", {}, t("ride.notes")), h("p", { class: "patient" }, patient.notes))
      : null,
    isMine
      ? h(
        "nav",
        { class: "links", "aria-label": title() },
        h("a", { class: "button", href: `/vendor/proof/${dispatch.id}` }, t("ride.proof")),
        h(
          "a",
          { class: "button", href: `/vendor/thread/${dispatch.id}` },
          t("ride.thread"),
          unread ? h("span", { class: "badge inline" }, t("thread.new", { n: unread })) : null,
        ),
      )
      : null,
    priceCard(dispatch, price, context),
    h("p", { class: "soft" }, t("spoken", { n: spoken(offer.request_id) })),
    dispatch.reference ? h("p", { class: "soft" }, `${t("ride.reference")}: ${dispatch.reference}`) : null,
    ...(dispatch.identifiers || []).map((/** @type {any} */ { system = "", value }) =>
      h("p", { class: "soft" }, `${t("ride.identifier")}: ${value} ${system}`)
    ),
  ];
}

/** @param {any} dispatch @param {any} price @param {string} status @param {Context} context */
function steps(dispatch, price, status, context) {
  if (ENDED.includes(status)) return null;
  const step = next(dispatch, status);
  const other = async () => {
    const chosen = await choose(t("ride.other"), otherwise(status).map((each) => [each, t(`act.${each}`)]));
    if (chosen) await report(dispatch, chosen, context);
  };
  return h(
    "div",
    { class: "acts" },
    h(
      "button",
      { class: "primary big", onclick: steady(() => void report(dispatch, step, context)), dataset: { at: "step" } },
      saying(dispatch, step),
    ),
    waitButton(dispatch, price, status, context),
    h("button", { class: "whole", onclick: () => void other(), dataset: { at: "other" } }, t("ride.other")),
  );
}

/** @param {string} what @param {string | undefined} address @param {[number, number]} position */
function place(what, address, position) {
  return h(
    "section",
    { class: "card place" },
    h("div", {}, h("h2", {}, what), h("p", { class: "patient" }, address || "")),
    mapLink(position, t("ride.map"), `${t("ride.map")}: ${what}`),
  );
}
