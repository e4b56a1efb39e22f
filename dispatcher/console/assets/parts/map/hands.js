/**
 * Pointer, wheel and keyboard on a map: pan, zoom, point, pick, rubber band. Positions are page pixels.
 * @module
 */

/** @typedef {[number, number]} At */

/**
 * @typedef {object} Acts
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, at?: At) => void} zoom
 * @property {() => void} fit
 * @property {(at: At | null) => void} point
 * @property {(at: At, more: boolean) => void} pick
 * @property {(one: At, other: At, done: boolean, more: boolean) => void} band
 * @property {() => void} all pick all that is in view
 * @property {() => void} none
 */

const SLACK = 4, STEP = 80;

/**
 * @param {HTMLElement} on
 * @param {Acts} acts
 * @param {() => boolean} bands whether a plain drag draws a band
 * @param {AbortSignal} signal
 */
export function hands(on, acts, bands, signal) {
  /** @type {Map<number, At>} */
  const down = new Map();
  /** @type {{ from: At, moved: boolean, band: boolean, more: boolean } | null} */
  let drag = null;
  const at = (/** @type {MouseEvent} */ event) => {
    const { left, top } = on.getBoundingClientRect();
    return /** @type {At} */ ([event.clientX - left, event.clientY - top]);
  };
  const free = (/** @type {Event} */ event) => event.target instanceof Element && !event.target.closest("button, a");

  on.addEventListener("pointerdown", (event) => {
    if (event.button || !free(event)) return;
    on.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size > 1) drag = null;
    else {drag = {
        from: at(event),
        moved: false,
        band: event.shiftKey || bands(),
        more: event.ctrlKey || event.metaKey,
      };}
  }, { signal });

  on.addEventListener("pointermove", (event) => {
    const here = at(event), before = down.get(event.pointerId);
    if (!before) return acts.point(here);
    down.set(event.pointerId, here);
    if (down.size > 1) return pinch(down, event.pointerId, before, acts);
    if (!drag || (!drag.moved && Math.hypot(here[0] - drag.from[0], here[1] - drag.from[1]) < SLACK)) return;
    drag.moved = true;
    if (drag.band) acts.band(drag.from, here, false, drag.more);
    else acts.pan(here[0] - before[0], here[1] - before[1]);
  }, { signal });

  const up = (/** @type {PointerEvent} */ event) => {
    if (!down.delete(event.pointerId) || !drag) return;
    const { from, moved, band, more } = drag;
    drag = null;
    if (moved && band) acts.band(from, at(event), true, more);
    else if (!moved && event.type === "pointerup") acts.pick(from, more);
  };
  on.addEventListener("pointerup", up, { signal });
  on.addEventListener("pointercancel", up, { signal });
  on.addEventListener("pointerleave", () => acts.point(null), { signal });
  on.addEventListener("wheel", (event) => {
    event.preventDefault();
    acts.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 400), at(event));
  }, { signal, passive: false });
  on.addEventListener("dblclick", (event) => free(event) && acts.zoom(2, at(event)), { signal });
  on.addEventListener("keydown", (event) => pressed(event, acts), { signal });
}

/** @param {Map<number, At>} down @param {number} moved @param {At} before @param {Acts} acts */
function pinch(down, moved, before, acts) {
  const [id] = [...down.keys()].filter((each) => each !== moved);
  const other = /** @type {At} */ (down.get(id)), here = /** @type {At} */ (down.get(moved));
  const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
  const is = Math.hypot(here[0] - other[0], here[1] - other[1]);
  acts.pan((here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
  if (was > 1) acts.zoom(is / was, [(here[0] + other[0]) / 2, (here[1] + other[1]) / 2]);
}

/** @type {Record<string, (acts: Acts) => void>} */
const KEYS = {
  ArrowLeft: (acts) => acts.pan(STEP, 0),
  ArrowRight: (acts) => acts.pan(-STEP, 0),
  ArrowUp: (acts) => acts.pan(0, STEP),
  ArrowDown: (acts) => acts.pan(0, -STEP),
  "+": (acts) => acts.zoom(1.5),
  "=": (acts) => acts.zoom(1.5),
  "-": (acts) => acts.zoom(1 / 1.5),
  "0": (acts) => acts.fit(),
  Home: (acts) => acts.fit(),
  a: (acts) => acts.all(),
  Escape: (acts) => acts.none(),
};

/** @param {KeyboardEvent} event @param {Acts} acts */
function pressed(event, acts) {
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
  if (!act || event.target !== event.currentTarget) return;
  event.preventDefault();
  act(acts);
}
