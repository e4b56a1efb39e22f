/**
 * What the pages of sets and keeps are written with: a heading with its acts, sections, reading with its trouble
 * and "try again", words for codes, shares and counts.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { keepingFocus } from "../core/focus.js";
import { showTrouble } from "./dialog.js";
import { toast } from "./toast.js";

export { words } from "./state.js";

/** @typedef {import("../core/dom.js").Child} Child */

/**
 * The page's title with its acts at the end of the line.
 * @param {string} title
 * @param {...Child} acts
 */
export function heading(title, ...acts) {
  return h("div", { class: "row page-head" }, h("h1", {}, title), h("span", { class: "grow" }), ...acts);
}

/**
 * A part of the page under its heading.
 * @param {string} says
 * @param {Child} acts beside the heading
 * @param {...Child} children
 */
export function section(says, acts, ...children) {
  return h(
    "section",
    { class: "panel" },
    h("div", { class: "row" }, h("h2", {}, says), h("span", { class: "grow" }), acts),
    ...children,
  );
}

/**
 * A button.
 * @param {string} says
 * @param {() => unknown} act
 * @param {Record<string, any>} [properties]
 */
export function button(says, act, properties = {}) {
  return h("button", { type: "button", ...properties, onclick: () => void act() }, says);
}

/** 0.934 → 93 %; "–" where it is not known. @param {number | null | undefined} share */
export function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

/** 1234567 → 1,234,567. @param {number} count */
export function number(count) {
  return count.toLocaleString("en");
}

export { money as dollars } from "./state.js";

/** 12 MB of bytes. @param {number} bytes */
export function bytes(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const at = Math.min(units.length - 1, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1000)));
  const value = bytes / 1000 ** at;
  return `${value >= 100 || at === 0 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

/** Seconds in the unit that tells: 0.4 s, 12 s, 4 min, 3 h. @param {number | null | undefined} seconds */
export function seconds(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3_600).toFixed(1)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** @type {WeakMap<HTMLElement, AbortController>} places whose reading failed: they wait for the service to be back */
const failed = new WeakMap();

/**
 * Read something and draw it, under whoever is in it with the keyboard, too; what goes wrong is said in its place, or
 * above what was read before, with a button to try again; once the service is back, that is done by itself.
 * @template T
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} read
 * @param {(found: T) => Child} draw
 */
export async function reading(place, signal, read, draw) {
  failed.get(place)?.abort();
  if (!place.childNodes.length) fill(place, h("p", { class: "soft unread", role: "status" }, "Reading …"));
  try {
    const found = await read();
    if (!signal.aborted) keepingFocus(place, () => fill(place, draw(found)));
  } catch (error) {
    if (signal.aborted) return;
    const trouble = h("p", { class: "trouble", role: "alert" });
    showTrouble(trouble, error);
    const again = () => reading(place, signal, read, draw), waits = new AbortController();
    failed.set(place, waits);
    addEventListener("back", () => void again(), { signal: AbortSignal.any([signal, waits.signal]) });
    keepingFocus(place, () => {
      place.querySelector(":scope > .unread")?.remove();
      place.prepend(h("div", { class: "unread" }, trouble, h("p", {}, button("Try again", again))));
    });
  }
}

/**
 * An act without a dialog: its outcome, or what went wrong, is told at the foot of the page.
 * @param {() => Promise<any>} act
 * @param {string} done what is told when it was done
 */
export async function told(act, done) {
  try {
    const found = await act();
    toast(done);
    return found ?? true;
  } catch (error) {
    toast(error instanceof Error ? error.message.replace("\n", " ") : String(error), { grave: true });
    return undefined;
  }
}

/**
 * Ask every `ms` while the page is seen, until the signal ends it.
 * @param {() => unknown} act
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export function every(act, ms, signal) {
  const timer = setInterval(() => document.hidden || act(), ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** A link to a request by its id. @param {import("../core/app.js").Context} context @param {string} id */
export function requestLink(context, id) {
  return id ? h("a", { class: "mono", href: context.href("request", [id]) }, id) : null;
}

/** A choice with its label for who does not see it. @param {string} label @param {[string, string][]} choices @param {string} chosen */
export function select(label, choices, chosen) {
  const made = h("select", { "aria-label": label }, choices.map(([value, says]) => h("option", { value }, says)));
  made.value = chosen;
  return made;
}

/** A vendor by its id: a link for ops, who alone may read it. @param {import("../core/app.js").Context} context @param {string} id */
export function vendorLink(context, id) {
  return context.may("ops") ? h("a", { href: context.href("vendors", [id]) }, id) : id;
}

/**
 * Tabs: links that keep their place in the address.
 * @param {string} label
 * @param {{ name: string, says: string, href: string }[]} tabs
 * @param {string} current
 */
export function tabs(label, tabs, current) {
  return h(
    "div",
    { class: "tabs", role: "navigation", "aria-label": label },
    tabs.map((each) => h("a", { href: each.href, "aria-current": each.name === current ? "page" : null }, each.says)),
  );
}

/** Whether what is shown is for another role: then the page says so. @param {string} of */
export function notForYou(of) {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-says" }, `${of} is for ops.`),
    h("p", {}, "Sign in with a link or token that has the role ops."),
  );
}
