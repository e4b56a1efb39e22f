/**
 * The vendors' page: who is signed in, which panel the address names, and the frame around it.
 * @module
 */

import { Api } from "../../core/api.js";
import { fill, h } from "../../core/dom.js";
import { Clock } from "../../core/time.js";
import { watchIdle } from "./idle.js";
import { chooseLanguage, t } from "./messages.js";
import { runCountdowns, said, trouble } from "./pieces.js";
import { signedIn } from "./sign_in.js";
import { Taps, WORD } from "./taps.js";
import { Times } from "./times.js";
import { World } from "./world.js";

/**
 * What every panel gets.
 * @typedef {object} Context
 * @property {import("./sign_in.js").Session} session
 * @property {Api} api
 * @property {World} world
 * @property {Taps} taps
 * @property {Clock} clock
 * @property {Times} times
 * @property {string[]} path what stands behind the panel's name in the address
 * @property {(path: string) => void} go
 * @property {AbortSignal} signal aborted when the panel goes
 */

/** @typedef {{ title: () => string, mount: (root: HTMLElement, context: Context) => void | Promise<void> }} Panel */

const TABS = ["offers", "day", "capacity", "more"];
/** Panels that stand behind a tab. @type {Record<string, string>} */
const BEHIND = {
  ride: "day",
  proof: "day",
  thread: "day",
  amendment: "day",
  papers: "more",
};

const bar = h("header", {}), main = h("main", { id: "main", tabIndex: -1 }), nav = h("nav", {});
let shown = new AbortController();
let moved = false;

async function start() {
  const language = chooseLanguage();
  document.body.append(main);
  const session = await signedIn(new Api("", WORD), main);
  const api = new Api(session.market, WORD), clock = new Clock(session.now_ms), times = new Times(session.tz, language);
  const taps = new Taps(`${session.market}/${session.vendor_id}`);
  const world = new World({ api, clock, times, vendor: session.vendor_id });
  const given = { session, api, world, taps, clock, times, go };
  nav.setAttribute("aria-label", t("nav"));
  document.body.prepend(h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")), bar);
  document.body.append(nav);
  addEventListener("signed-out", () => location.replace("/vendor"), { once: true });
  addEventListener("popstate", () => void show(given));
  document.body.addEventListener("click", followed);
  watchIdle([bar, main, nav]);
  world.onChange(() => frame(given));
  taps.onChange((sent) => sent ? world.again() : frame(given));
  for (const each of ["online", "offline"]) addEventListener(each, () => frame(given));
  runCountdowns(() => clock.now());
  await taps.read();
  void world.follow();
  await show(given);
  await world.refresh();
  navigator.serviceWorker?.addEventListener("controllerchange", () => world.again()); // so that it keeps what is read
  await register();
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  main.focus();
}

/** @param {string} path */
function go(path) {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** @param {MouseEvent} event */
function followed(event) {
  const link = event.target instanceof Element && event.target.closest("a[href^='/vendor']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href") || "/vendor");
}

/** @param {Omit<Context, "path" | "signal">} given */
async function show(given) {
  const [, , name = "", ...path] = location.pathname.split("/").map(decodeURIComponent);
  const panel = TABS.includes(name) || name in BEHIND ? name : "offers";
  shown.abort();
  shown = new AbortController();
  const signal = shown.signal, root = h("div", { class: `panel ${panel}` });
  fill(main, root);
  frame(given);
  try {
    /** @type {Panel} */
    const module = await import(`../panels/${panel}.js`);
    if (signal.aborted) return;
    document.title = `${module.title()} · ${t("app")}`;
    await module.mount(root, { ...given, path, signal });
    if (moved) main.focus({ preventScroll: true });
    if (moved) scrollTo(0, 0);
    moved = true;
  } catch (error) {
    if (!signal.aborted) fill(root, h("h1", {}, t("app")), trouble(said(error)));
  }
}

/** The bar above and the tabs below. @param {Omit<Context, "path" | "signal">} given */
function frame({ world, taps, session, clock, times }) {
  const name = location.pathname.split("/")[2] || "offers",
    tab = BEHIND[name] || (TABS.includes(name) ? name : "offers");
  const waiting = taps.list.filter((each) => !each.refused).length;
  fill(
    bar,
    h("strong", {}, session.vendor_id),
    h("span", { class: "live", dataset: { live: String(world.live) } }, t(world.live ? "live" : "stale")),
    h("span", { class: "grow" }),
    waiting ? h("span", { class: "count", role: "status" }, t("waiting.taps", { n: waiting })) : null,
    world.kept
      ? h("p", { class: "kept", role: "status" }, t("offline", { time: times.moment(world.kept, clock.now()) }))
      : null,
  );
  const link = (/** @type {string} */ each) =>
    h(
      "a",
      { href: `/vendor/${each}`, "aria-current": each === tab ? "page" : null, class: `tab-${each}` },
      h("span", { class: "icon", "aria-hidden": "true" }),
      t(`nav.${each}`),
      each === "offers" && world.open.length ? h("span", { class: "badge" }, String(world.open.length)) : null,
    );
  fill(nav, TABS.map(link));
}

/** What was loaded is there without a connection; where there is no worker, the page is all the same. */
async function register() {
  if (!navigator.serviceWorker) return;
  const types = /** @type {any} */ (globalThis).trustedTypes;
  const policy = types?.createPolicy("worker", { createScriptURL: (/** @type {string} */ url) => url });
  const script = "/vendor/worker.js";
  try {
    await navigator.serviceWorker.register(policy?.createScriptURL(script) ?? script, {
      scope: "/vendor",
      type: "module",
    });
  } catch (error) {
    console.warn(error);
  }
}

start();
