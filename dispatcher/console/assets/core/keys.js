/**
 * The keyboard: each page says its keys and what they do; `?` shows them all.
 * @module
 */

/** @typedef {{ key: string, says: string, act: (event: KeyboardEvent) => void, group?: string }} Binding */

/** @type {Set<Binding>} */
const bindings = new Set();
const WAITS_MS = 10_000; // whoever pressed it longer ago has turned to something else
let first = "";
let firstAt = 0;
/** @type {KeyboardEvent[] | null} pressed before what they are for was there; null: it is */
let early = [];

/**
 * Keys that count from now until what is returned is called. A key is `j`, `Shift+J`, `/`, `Escape`, or two in
 * a row: `g t`.
 * @param {Binding[]} added
 * @returns {() => void}
 */
export function bind(added) {
  for (const each of added) bindings.add(each);
  return () => {
    for (const each of added) bindings.delete(each);
  };
}

/** All that counts now, the newest last. */
export function bound() {
  return [...bindings];
}

/** What is pressed from now on, and says nothing yet, is for what comes: a page, or the rows of a list. */
export function holdKeys() {
  early ??= [];
}

/** It is there, and hears what was pressed meanwhile, where the keyboard is now. */
export function playKeys() {
  const held = (early || []).filter((each) => performance.now() - each.timeStamp < WAITS_MS);
  early = null;
  for (const each of held) (document.activeElement || document.body).dispatchEvent(new KeyboardEvent(each.type, each));
}

/** What `r` does on this page: what is there now is shown. */
export function readAgain() {
  [...bindings].reverse().find((each) => each.key === "r")?.act(new KeyboardEvent("keydown", { key: "r" }));
}

/** @param {KeyboardEvent} event */
function named(event) {
  const shifted = event.shiftKey && event.key.length > 1 ? "Shift+" : "";
  return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.altKey ? "Alt+" : "") + shifted + event.key;
}

/** Whether somebody is writing there. @param {EventTarget | null} target */
function writes(target) {
  return target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
        !/^(checkbox|radio|button|range)$/.test(/** @type {HTMLInputElement} */ (target).type));
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.defaultPrevented || writes(event.target) || document.querySelector("dialog[open]")) return;
  const name = named(event);
  const both = event.timeStamp - firstAt < 1200 ? `${first} ${name}` : "";
  const all = [...bindings].reverse();
  const found = (both && all.find((each) => each.key === both)) || all.find((each) => each.key === name);
  first = name;
  firstAt = event.timeStamp;
  if (!found) return void early?.push(event);
  if (found.key === both) {
    first = "";
    early &&= []; // its first key; and what was for the page that it leaves
  }
  event.preventDefault();
  found.act(event);
}

addEventListener("keydown", pressed);
