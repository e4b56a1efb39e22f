/**
 * What is under a hand stays there: what is pressed is not drawn anew before the press was a click.
 * @module
 */

const RELEASED_MS = 60; // from the hand's going to the click that it was
/** Where a hand is. @type {Node | null} */
let pressed = null;
/** @type {Map<Node, () => void>} */
const waiting = new Map();

/** Draw a place anew: now, or when nothing in it is pressed any more. @param {Node} place @param {() => void} draw */
export function afterPress(place, draw) {
  if (pressed && place.contains(pressed)) waiting.set(place, draw);
  else draw();
}

/** Hands are looked at from here on. */
export function watchHands() {
  let presses = 0;
  const down = (/** @type {Event} */ event) => {
    presses++;
    pressed = event.target instanceof Node ? event.target : null;
  };
  const released = (/** @type {number} */ press) => {
    if (press !== presses) return; // the next one is under way
    pressed = null;
    const all = [...waiting.values()];
    waiting.clear();
    for (const draw of all) draw();
  };
  const capture = { capture: true };
  addEventListener("pointerdown", down, capture);
  addEventListener("keydown", (event) => event.key === " " && down(event), capture); // it clicks when it comes up
  for (const each of ["pointerup", "pointercancel", "keyup"]) {
    addEventListener(each, () => pressed && setTimeout(released, RELEASED_MS, presses), capture);
  }
}
