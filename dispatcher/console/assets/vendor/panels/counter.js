/**
 * What a vendor would do instead: another start, price or vehicle.
 * @module
 */

import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { level } from "../core/pieces.js";
import { field } from "./field.js";
import { Hint, sheet } from "./sheet.js";
import { ms } from "../core/times.js";
import "./lost_words.js";
import "./words.js";

const CARRIES = ["ambulatory", "wheelchair", "bariatric_wheelchair", "stretcher", "bls", "als", "cct"];
const DAY_MS = 86_400_000;

/** @param {any} offer @param {import("../core/app.js").Context} context @returns {Promise<any>} */
export function ask(offer, { times }) {
  const start = h("input", { type: "time", name: "start", value: times.time(offer.start_at), required: true });
  const price = h("input", {
    name: "price",
    inputMode: "decimal",
    pattern: "[0-9]{1,6}([.,][0-9]{1,2})?",
    value: (offer.price_cents / 100).toFixed(2),
    required: true,
  });
  const levels = CARRIES.slice(Math.max(0, CARRIES.indexOf(offer.level_of_service)));
  const vehicle = offer.level_of_service &&
    h("select", { name: "level" }, levels.map((each) => h("option", { value: each }, t(`level.${each}`))));
  return sheet({
    title: t("counter.title"),
    draft: `counter ${offer.id}`,
    body: [
      field(t("counter.start"), start, t("counter.same", { what: times.time(offer.start_at) })),
      field(t("counter.price"), price, t("counter.same", { what: money(offer.price_cents) })),
      vehicle && field(t("counter.level"), vehicle, t("counter.same", { what: level(offer) })),
    ],
    act: t("counter.act"),
    run: (form) => said(offer, form, times),
  });
}

/** Only what is another than offered. @param {any} offer @param {FormData} form @param {import("../core/times.js").Times} times */
function said(offer, form, times) {
  /** @type {Record<string, any>} */
  const other = {}, cents = Math.round(Number(String(form.get("price")).replace(",", ".")) * 100);
  if (form.get("start") !== times.time(offer.start_at)) {
    other.start_at = new Date(nearest(offer.start_at, String(form.get("start")), times)).toISOString();
  }
  if (cents !== offer.price_cents) other.price_cents = cents;
  if (form.get("level") && form.get("level") !== offer.level_of_service) other.level_of_service = form.get("level");
  if (!Object.keys(other).length) throw new Hint(t("counter.nothing"));
  return other;
}

/** That time of the clock which is nearest to what was offered: 23:50 and 00:10 are twenty minutes apart.
 * @param {string} offered @param {string} time @param {import("../core/times.js").Times} times */
export function nearest(offered, time, times) {
  const at = ms(offered), around = [-DAY_MS, 0, DAY_MS].map((each) => times.instant(times.date(at + each), time));
  return around.sort((one, other) => Math.abs(one - at) - Math.abs(other - at))[0] || at;
}
