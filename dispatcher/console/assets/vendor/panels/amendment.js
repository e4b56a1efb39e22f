/**
 * A ride that is to be another: as it is, as it would be, and what the vendor says to that.
 * @module
 */

import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { level, needs, onTheirWay, redraw, said, trouble, untilElement } from "../core/pieces.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

export const title = () => t("amendment.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, taps, signal, path: [id = ""] } = context;
  const back = () => h("a", { class: "back", href: `/vendor/ride/${id}` }, t("back"));
  redraw(root, back(), h("h1", {}, title()), h("p", { class: "empty" }, t("loading")));
  try {
    const asked = await api.get(`/offers/${id}/amendment`, {}, signal);
    const draw = () => redraw(root, back(), h("h1", {}, title()), shown(asked, context));
    const stop = taps.onChange((sent) =>
      sent?.about === id && !taps.of(id).length ? context.go(`/vendor/ride/${id}`) : draw()
    );
    signal.addEventListener("abort", stop);
    context.world.onChange(draw, signal);
    draw();
  } catch (error) {
    if (!signal.aborted) redraw(root, back(), h("h1", {}, title()), trouble(said(error)));
  }
}

/** @param {any} asked @param {Context} context */
function shown(asked, context) {
  const { taps, world, times, clock } = context, id = asked.offer_id;
  const before = world.dispatches.get(id), after = asked.dispatch;
  const way = taps.of(id).filter((each) => each.kind === "agree" || each.kind === "refuse");
  const column = (/** @type {string} */ called, /** @type {any} */ each) =>
    h(
      "section",
      { class: "card" },
      h("h2", {}, called),
      h("p", { class: "when" }, times.moment(each.offer.start_at, clock.now())),
      h("p", {}, money(each.offer.price_cents)),
      h("p", { class: "patient" }, each.patient?.pickup_address || ""),
      h("p", { class: "patient" }, each.patient?.dropoff_address || ""),
      h("ul", { class: "facts" }, [level(each.offer), ...needs(each.offer)].map((said) => h("li", {}, said))),
    );
  return [
    h("p", { class: "answer" }, t("offer.answer"), " ", untilElement(asked.expires_at)),
    h("p", { class: "soft" }, t("amendment.silence")),
    before ? column(t("amendment.now"), before) : null,
    column(t("amendment.then"), after),
    onTheirWay(taps, id),
    way.length ? null : h(
      "div",
      { class: "acts" },
      h("button", { class: "primary", onclick: () => void answer(asked, "agree", context) }, t("amendment.agree")),
      h("button", { class: "whole", onclick: () => void answer(asked, "refuse", context) }, t("amendment.refuse")),
    ),
  ];
}

/** @param {any} asked @param {string} kind @param {Context} context */
function answer(asked, kind, { taps, api }) {
  const path = `${api.base}/offers/${asked.offer_id}/amendment/${kind}`;
  return taps.put({ about: asked.offer_id, kind, method: "POST", path, body: { number: asked.number } });
}
