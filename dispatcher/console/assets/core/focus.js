/**
 * What is drawn anew under somebody's keyboard or hand: they keep their place.
 * @module
 */

import { afterPress } from "./press.js";

const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
const ROWS = "tr, li, article, section";

/**
 * Draw `place` anew, once nothing in it is pressed. Whoever was on a control in it is then on the one of the same name in the same row; where the
 * row has none of that name (it was "Disable" and is "Enable" now), on the one that stands there instead; where neither
 * can be, on the place itself: Tab goes on from there.
 * @param {HTMLElement} place
 * @param {() => void} draw
 */
export function keepingFocus(place, draw) {
  afterPress(place, () => drawn(place, draw));
}

/** @param {HTMLElement} place @param {() => void} draw */
function drawn(place, draw) {
  const held = document.activeElement;
  const inside = held !== place && held instanceof HTMLElement && place.contains(held);
  const was = inside && { name: nameOf(held), row: rowOf(held), at: controlsOf(held).indexOf(held) };
  draw();
  if (!was || place.contains(document.activeElement)) return;
  const row = was.row ? all(place, ROWS).find((each) => titleOf(each) === was.row) : undefined;
  const there = all(row ?? place, CONTROLS);
  const same = there.find((each) => nameOf(each) === was.name);
  const instead = row ? there[Math.min(was.at, there.length - 1)] : undefined;
  for (const each of [same, instead, place]) {
    if (each === place) place.tabIndex = -1;
    each?.focus({ preventScroll: true });
    if (each && each === document.activeElement) return;
  }
}

/** @param {Element} within @param {string} which @returns {HTMLElement[]} */
function all(within, which) {
  return [...within.querySelectorAll(which)].filter((each) => each instanceof HTMLElement);
}

/** @param {HTMLElement} control */
function nameOf(control) {
  return `${control.tagName} ${control.dataset.at || control.getAttribute("aria-label") || control.textContent}`;
}

/** The controls beside it. @param {HTMLElement} control */
function controlsOf(control) {
  const row = control.closest(ROWS);
  return row ? all(row, CONTROLS) : [];
}

/** @param {HTMLElement} control */
function rowOf(control) {
  const row = control.closest(ROWS);
  return row ? titleOf(row) : "";
}

/** What a row or part is about: its heading, or the cells before those that change. @param {Element} row */
function titleOf(row) {
  const cells = [...row.querySelectorAll("th, td")].slice(0, 2);
  const heads = cells.length ? cells : [...row.querySelectorAll("h1, h2, h3, h4, a")].slice(0, 1);
  return heads.map((each) => each.textContent).join(" · ");
}
