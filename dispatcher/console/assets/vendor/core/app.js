/**
 * The vendors' page: who is signed in, which panel the address names, and the frame around it.
 * @module
 */

import { Api } from "../../core/api.js";
import { fill, h } from "../../core/dom.js";
import { watchHands } from "../../core/press.js";
import { forgetDrafts } from "./forget.js";
import { watchIdle } from "./idle.js";
import { chooseLanguage, t } from "./messages.js";
import { redraw, runCountdowns, said, trouble } from "./pieces.js";
import { signedIn, standing } from "./sign_in.js";
import { Taps, WORD } from "./taps.js";
import { ServiceClock, Times } from "./times.js";
import { World } from "./world.js";

/**
 * What every panel gets.
 * @typedef {object} Context
 * @property {import("./sign_in.js").Session} session
 * @property {Api} api
 * @property {World} world
 * @property {Taps} taps
 * @property {ServiceClock} clock
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
  scorecard: "more",
  statement: "more",
  papers: "more",
  lost: "more",
};

const bar = h("header", {}), main = h("main", { id: "main", tabIndex: -1 }), nav = h("nav", {});
let shown = new AbortController();
let moved = false;
let newer = false; // a worker came with new files: the next panel begins with them

async function start() {
  const language = chooseLanguage();
  document.body.append(main);
  const session = await signedIn(new Api("", WORD), main);
  const api = new Api(session.market, WORD),
    clock = new ServiceClock(session.now_ms),
    times = new Times(session.tz, language);
  const taps = new Taps(`${session.market}/${session.vendor_id}`);
  const world = new World({ api, clock, times });
  const given = { session, api, world, taps, clock, times, go };
  addEventListener("signed-out", leave, { once: true });
  addEventListener("pageshow", (event) => event.persisted && location.reload()); // as it was left: maybe signed out
  await taps.read();
  nav.setAttribute("aria-label", t("nav"));
  document.body.prepend(h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")), bar);
  document.body.append(nav);
  addEventListener("popstate", () => void show(given)); // from here on nothing waits before the first panel: two would show
  document.body.addEventListener("click", followed);
  watchHands();
  watchIdle([bar, main, nav]);
  world.onChange(() => taps.seen(world.readAt));
  world.onChange(() => frame(given));
  world.onChange(() => tellOffers(world.open.length));
  taps.onChange((sent) => sent ? world.again(sent.about) : frame(given));
  for (const each of ["online", "offline"]) addEventListener(each, () => frame(given));
  runCountdowns(() => clock.now());
  void world.follow();
  await show(given);
  await world.refresh();
  const before = navigator.serviceWorker?.controller;
  navigator.serviceWorker?.addEventListener("controllerchange", () => {
    newer = Boolean(before);
    void again(given); // it keeps what is read
  });
  await register();
  if (navigator.serviceWorker?.controller) await again(given); // it kept nothing of a session that was opened just now
}

/** Who is signed in, and what the vendor has. @param {Omit<Context, "path" | "signal">} given */
async function again({ api, world, clock }) {
  world.again();
  await standing(api).then((session) => clock.hear(session.now_ms), () => undefined);
}

/** Nothing of it stays on the screen, nor behind the Back button. */
function leave() {
  forgetDrafts();
  document.body.replaceChildren();
  location.replace("/vendor");
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  main.focus();
}

/** @param {string} path */
function go(path) {
  if (newer) return location.assign(path);
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
  for (const each of document.querySelectorAll("dialog")) {
    if (each.matches(".sheet")) each.close(); // what it asks is of the panel that goes
  }
  const signal = shown.signal, root = h("div", { class: `panel ${panel}` });
  fill(main, root);
  frame(given);
  try {
    /** @type {Panel} */
    const module = await import(`../panels/${panel}.js`);
    if (signal.aborted) return;
    document.title = `${module.title()} · ${t("app")}`;
    const waits = module.mount(root, { ...given, path, signal }), reads = h("p", {}, t("loading"));
    if (waits && !root.textContent?.includes(t("loading"))) root.append(reads);
    await waits;
    reads.remove();
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
  const waiting = taps.list.filter((each) => !each.refused && !each.gone).length;
  redraw(
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
      {
        href: `/vendor/${each}`,
        "aria-current": each === tab ? "page" : null,
        class: `tab-${each}`,
        dataset: { at: each },
      },
      h("span", { class: "icon", "aria-hidden": "true" }),
      t(`nav.${each}`),
      badge(each === "offers" ? world.open.length : each === "day" ? world.news : 0, each),
    );
  redraw(nav, TABS.map(link));
}

/** @param {number} count @param {string} tab what it counts */
const badge = (count, tab) =>
  count
    ? h(
      "span",
      { class: "badge" },
      h("span", { "aria-hidden": "true" }, String(count)),
      h("span", { class: "unseen" }, t(`${tab}.count`, { n: count })),
    )
    : null;

const news = h("p", { class: "unseen", role: "status" });
let told = 0;

/** New offers, for who does not see the list; and on the app's icon. @param {number} open */
function tellOffers(open) {
  if (!news.isConnected) document.body.append(news);
  if (open > told) news.textContent = t("offers.count", { n: open });
  if (open !== told) void navigator.setAppBadge?.(open).catch(() => undefined);
  told = open;
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

start().catch((error) => fill(main, h("h1", {}, t("app")), trouble(said(error))));
