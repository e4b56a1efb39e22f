/**
 * Elements, built without markup: text is always text, so nothing that the service says can become code.
 * @module
 */

/** @typedef {Node | string | number | null | undefined | false} Leaf */
/** @typedef {Leaf | Leaf[] | Leaf[][] | Leaf[][][]} Child */
/** @typedef {Record<string, any>} Properties */

/**
 * An element. `class`, `dataset`, `aria-…`, `role` and other attributes by their names; `onclick` and the like
 * are listeners; `hidden`, `disabled`, `checked`, `value` and other properties are set as properties.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  decorate(made, properties);
  made.append(...leaves(children));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An SVG element, as `h`; every property is an attribute or a listener.
 * @param {string} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, properties = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...leaves(children));
  return made;
}

/**
 * Put these children in place of what an element holds.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...leaves(children));
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function leaves(children) {
  return children.flat(3).filter((each) => each !== null && each !== undefined && each !== false)
    .map((each) => each instanceof Node ? each : String(each));
}

/**
 * @param {HTMLElement} made
 * @param {Properties} properties
 */
function decorate(made, properties) {
  const settable = /** @type {Record<string, any>} */ (/** @type {any} */ (made));
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name === "class") made.className = value;
    else if (typeof value === "function" && name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.includes("-") || !(name in made) || name === "list" || name === "form") attribute(made, name, value);
    else settable[name] = value;
  }
}

/**
 * @param {Element} made
 * @param {string} name
 * @param {unknown} value
 */
function attribute(made, name, value) {
  if (value === false && !name.startsWith("aria-")) return;
  made.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
}

/**
 * Call it once, a moment after the last of many calls.
 * @param {() => void} act
 * @param {number} [wait] milliseconds
 */
export function settled(act, wait = 120) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}

/**
 * Call it at most once a frame.
 * @param {() => void} act
 */
export function framed(act) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      act();
    });
  };
}

/**
 * Call it at most once in so long, and once more after the last call.
 * @param {() => void} act
 * @param {number} [every] milliseconds
 */
export function paced(act, every = 400) {
  let timer = 0, last = -Infinity;
  const run = () => {
    timer = 0;
    last = performance.now();
    act();
  };
  return () => {
    if (!timer) timer = setTimeout(run, Math.max(0, last + every - performance.now()));
  };
}
