/**
 * From where to where, as far as it may be seen before the work is taken.
 * @module
 */

import { figure, t } from "./messages.js";

const FAR_KM = 15, KM_A_DEGREE = 111.2, METRES_A_MILE = 1_609.344;

/** Kilometres to the east and to the north. @param {number[]} from @param {number[]} to [lon, lat] */
function away([lon, lat], [toLon, toLat]) {
  const east = ((toLon - lon + 540) % 360) - 180;
  return [east * KM_A_DEGREE * Math.cos((lat + toLat) / 2 * Math.PI / 180), (toLat - lat) * KM_A_DEGREE];
}

/** The nearest, or "". @param {number[]} zone @param {[string, number, number][]} places */
export function placeOf(zone, places) {
  const far = (/** @type {number[]} */ at) => Math.hypot(...away(zone, at));
  const [near] = places.map(([name, ...at]) => ({ name, far: far(at) })).sort((a, b) => a.far - b.far);
  return near && near.far < FAR_KM ? near.name : "";
}

/** Fairmount → Chestnut Hill @param {any} offer @param {[string, number, number][]} [places] */
export function route({ pickup_zone: from, dropoff_zone: to }, places = []) {
  const [one, other] = [from, to].map((each) => each && placeOf(each, places));
  if (one && other && one !== other) return `${one} → ${other}`;
  if (one) return t(to && !other ? "offer.from" : "offer.in", { place: one });
  return other ? t("offer.to", { place: other }) : "";
}

/** 4.9 mi to the north-west @param {any} offer */
export function distance({ distance_m: metres, pickup_zone: from, dropoff_zone: to }) {
  if (!metres) return "";
  const n = t("offer.distance", { n: figure(metres / METRES_A_MILE) });
  const [east, north] = to ? away(from, to) : [0, 0];
  if (!east && !north) return n; // within one square
  const eighth = (Math.round(Math.atan2(east, north) / Math.PI * 4) + 8) % 8;
  return `${n} ${t("way", { way: t("ways").split(",")[eighth] })}`;
}
