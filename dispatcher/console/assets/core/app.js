/**
 * The console: who is signed in, which market and page the address names, and the frame around the page.
 * @module
 */

import { Api, Problem } from "./api.js";
import { fill, h } from "./dom.js";
import { bind, bound } from "./keys.js";
import { Live } from "./live.js";
import { pageNamed, PAGES } from "./pages.js";
import { Store } from "./store.js";
import { Clock, Zone } from "./time.js";
import { dialog, showTrouble } from "../parts/dialog.js";
import { askNotify } from "../parts/notify_dialog.js";
import { watch } from "./notify.js";
import { signIn } from "./sign_in.js";
import { toast } from "../parts/toast.js";

/** @typedef {{ subject: string, roles: string[], markets: { id: string, tz: string }[], now_ms: number, version: string, map_tiles?: string, map_credit?: string }} Session */

/**
 * What every page gets.
 * @typedef {object} Context
 * @property {string} market
 * @property {Session} session
 * @property {(...roles: string[]) => boolean} may whether the session has one of these roles
 * @property {Api} api
 * @property {Live} live
 * @property {Store} store
 * @property {Clock} clock
 * @property {Zone} zone
 * @property {string[]} path what stands behind the page's name in the address
 * @property {URLSearchParams} query
 * @property {(query: Record<string, string | null | undefined>) => void} setQuery state in the address, without a new page
 * @property {(page: string, path?: string[], query?: Record<string, string>) => void} go
 * @property {(page: string, path?: string[], query?: Record<string, string>) => string} href
 * @property {AbortSignal} signal aborted when the page goes
 */

/** @typedef {{ title: string, mount: (root: HTMLElement, context: Context) => (() => void) | void }} PageModule */

const READERS = ["ops", "coordinator", "case_manager", "platform"]; // who reads requests

const frame = {
  main: h("main", { id: "main", tabindex: "-1" }),
  nav: h("nav", { "aria-label": "Pages" }),
  bar: h("header", { class: "bar" }),
};

/** @type {{ session: Session, market: string, live: Live, store: Store, clock: Clock, zone: Zone, api: Api, stop: () => void } | null} */
let opened = null;
let moved = false; // from the page that was opened first: then the keyboard follows
/** @type {AbortController} */
let page = new AbortController();
let ticking = 0; // the bar's clock

async function start() {
  theme();
  const session = await signedIn();
  if (!session) return;
  if (!READERS.some((each) => session.roles.includes(each))) return notForYou(session);
  bind([
    ...pagesOf(session).filter((each) => each.key).map((each) => ({
      key: `g ${each.key}`,
      says: each.title,
      group: "Go to",
      act: () => go(each.name),
    })),
    { key: "?", says: "These keys", group: "Everywhere", act: () => void showKeys() },
  ]);
  addEventListener("popstate", () => show(session));
  addEventListener("signed-out", () => location.reload(), { once: true });
  left.onmessage = () => location.reload(); // another tab signed out: this one shows nothing more
  document.body.addEventListener("click", followed);
  document.body.append(
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the page"),
    frame.bar,
    h("div", { class: "frame" }, frame.nav, frame.main),
  );
  await show(session);
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  frame.main.focus();
}

/** @returns {Promise<Session | null>} */
async function signedIn() {
  const api = new Api("");
  try {
    if (location.pathname === "/console/enter") return await signIn(api, location.hash.slice(1));
    return await api.get("/console/session");
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return signIn(api, "");
    showTrouble(document.body.appendChild(h("p", { class: "trouble", role: "alert" })), error);
    return null;
  }
}

/** @param {Session} session */
async function show(session) {
  const [, , given, name, ...path] = location.pathname.split("/").map(decodeURIComponent);
  const market = session.markets.find((each) => each.id === given) || session.markets[0];
  if (!market) {
    return void fill(frame.main, h("p", { class: "trouble" }, "This session has no market of this service."));
  }
  const found = pageNamed(name || "");
  if (market.id !== given || !found) return go("today", [], {}, market.id, true);
  if (opened?.market !== market.id) open(session, market);
  page.abort();
  page = new AbortController();
  drawFrame(session, found.name);
  const root = h("div", { class: `page page-${found.name}` });
  fill(frame.main, root);
  document.title = `${found.title} · ${market.id} · Dispatcher`;
  const signal = page.signal;
  try {
    /** @type {PageModule} */
    const module = await import(`../pages/${found.name}.js`);
    if (signal.aborted) return;
    const unmount = module.mount(root, context(path, signal));
    if (unmount) signal.addEventListener("abort", unmount);
    if (moved && document.activeElement === document.body) frame.main.focus({ preventScroll: true });
    moved = true;
  } catch (error) {
    console.error(error);
    showTrouble(root.appendChild(h("p", { class: "trouble", role: "alert" })), error);
  }
}

/** @param {Session} session @param {{ id: string, tz: string }} market */
function open(session, market) {
  opened?.stop();
  opened?.store.close();
  opened?.live.close();
  const api = new Api(market.id), live = new Live(market.id), clock = new Clock(session.now_ms);
  const store = new Store(api, live, clock), stop = watch({ store, live, clock, market: market.id });
  opened = { session, market: market.id, api, live, clock, zone: new Zone(market.tz), store, stop };
}

/** @param {string[]} path @param {AbortSignal} signal @returns {Context} */
function context(path, signal) {
  if (!opened) throw new Error("no market is open");
  const { session, market, api, live, store, clock, zone } = opened;
  return {
    market,
    session,
    api,
    live,
    store,
    clock,
    zone,
    path: path.filter(Boolean),
    query: new URLSearchParams(location.search),
    may: (...roles) => roles.some((each) => session.roles.includes(each)),
    setQuery,
    go: (name, rest, query) => go(name, rest, query),
    href: (name, rest, query) => address(name, rest, query),
    signal,
  };
}

/** @param {string} name @param {string[]} [path] @param {Record<string, string>} [query] @param {string} [market] */
function address(name, path = [], query = {}, market = opened?.market || "") {
  const words = new URLSearchParams(query).toString();
  return ["/console", market, name, ...path].map((each, at) => at ? encodeURIComponent(each) : each).join("/") +
    (words ? `?${words}` : "");
}

/** @param {string} name @param {string[]} [path] @param {Record<string, string>} [query] @param {string} [market] @param {boolean} [instead] */
function go(name, path, query, market, instead) {
  visit(address(name, path, query, market), instead);
}

/** @param {string} where @param {boolean} [instead] */
function visit(where, instead = false) {
  history[instead ? "replaceState" : "pushState"](null, "", where);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** @param {Record<string, string | null | undefined>} changes */
function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const words = query.toString();
  history.replaceState(null, "", location.pathname + (words ? `?${words}` : ""));
}

/** Links within the console change the page, not the document. @param {MouseEvent} event */
function followed(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (
    !link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey ||
    link.target || link.hasAttribute("download")
  ) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !url.pathname.startsWith("/console/")) return;
  event.preventDefault();
  visit(url.pathname + url.search);
}

/** @param {Session} session @param {string} current */
function drawFrame(session, current) {
  if (!opened) return;
  drawNav(current, pagesOf(session));
  if (frame.bar.dataset.market === opened.market) return;
  frame.bar.dataset.market = opened.market;
  drawBar(session);
}

/** Those that this session may use. @param {Session} session */
function pagesOf(session) {
  return PAGES.filter((each) => !each.ops || session.roles.includes("ops"));
}

/** Whoever reads no request has nothing here, and is not to be told that nothing is wrong. @param {Session} session */
function notForYou(session) {
  document.title = "Dispatcher";
  document.body.append(
    h(
      "main",
      {},
      h(
        "div",
        { class: "sign-in" },
        h("h1", {}, "Dispatcher"),
        h("p", {}, `You are signed in as ${session.subject || session.roles.join(", ")}.`),
        h(
          "p",
          {},
          "The console is for who dispatches and cares: ops, coordinators, case managers and the platform. ",
          "Vendors and facilities have their own work in the API: ",
          h("a", { href: "/docs" }, "/docs"),
          ".",
        ),
        h("button", { type: "button", class: "primary", onclick: signOut }, "Sign out"),
      ),
    ),
  );
}

/** @param {string} current @param {import("./pages.js").Page[]} pages */
function drawNav(current, pages) {
  const groups = [...new Set(pages.map((each) => each.group))].filter(Boolean);
  fill(
    frame.nav,
    groups.map((group) =>
      h(
        "div",
        { class: "nav-group" },
        h("span", { class: "nav-head" }, group),
        pages.filter((each) => each.group === group).map((each) =>
          h("a", {
            href: address(each.name),
            "aria-current": each.name === current ? "page" : null,
            title: `g ${each.key}`,
          }, each.title)
        ),
      )
    ),
  );
}

/** @param {Session} session */
function drawBar(session) {
  if (!opened) return;
  const { clock, zone, live, market } = opened;
  const time = h("span", { class: "clock" });
  const tick = () => {
    const now = clock.now();
    fill(time, h("strong", {}, zone.time(now)), ` ${zone.day(now)} · ${zone.name} (${zone.abbreviation(now)})`);
  };
  tick();
  clearInterval(ticking);
  ticking = setInterval(tick, 1_000);
  const state = h("span", { class: "live", role: "status" });
  live.onStatus((status) => {
    document.documentElement.dataset.live = status;
    fill(state, { live: "Live", stale: "Stale: reconnecting", off: "Connecting" }[status]);
  });
  const markets = h(
    "select",
    { "aria-label": "Market", onchange: () => go("today", [], {}, markets.value) },
    session.markets.map((each) => h("option", { value: each.id }, each.id)),
  );
  markets.value = market;
  fill(
    frame.bar,
    h("a", { class: "brand", href: address("today") }, "Dispatcher"),
    session.markets.length > 1 ? markets : h("strong", {}, market),
    time,
    h("span", { class: "grow" }),
    state,
    h("button", { type: "button", class: "quiet", title: "Keys (?)", onclick: showKeys }, "Keys"),
    h("button", { type: "button", class: "quiet", title: "Sounds and notifications", onclick: askNotify }, "Notify"),
    h("button", { type: "button", class: "quiet", onclick: nextTheme }, "Theme"),
    h("span", { class: "who", title: session.roles.join(", ") }, session.subject || session.roles.join(", ")),
    h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out"),
  );
}

const left = new BroadcastChannel(`dispatcher ${location.port} signed out`);

async function signOut() {
  try {
    await new Api("").call("DELETE", "/console/session");
  } catch (error) {
    return toast(`You are still signed in: ${error instanceof Error ? error.message : error}`, { grave: true });
  }
  left.postMessage("");
  location.assign("/console");
}

function theme() {
  const chosen = localStorage.getItem("theme") || "";
  document.documentElement.dataset.theme = chosen;
}

/** As the system has it, light, dark. */
function nextTheme() {
  const order = ["", "light", "dark"];
  const next = order[(order.indexOf(localStorage.getItem("theme") || "") + 1) % 3];
  localStorage.setItem("theme", next);
  theme();
}

async function showKeys() {
  const groups = [...new Set(bound().map((each) => each.group || "This page"))];
  await dialog({
    title: "Keys",
    wide: true,
    body: h(
      "div",
      { class: "keys" },
      groups.map((group) =>
        h(
          "section",
          {},
          h("h3", {}, group),
          h(
            "dl",
            {},
            bound().filter((each) => (each.group || "This page") === group).map((each) => [
              h(
                "dt",
                {},
                each.key.split(" ").map((key) => h("kbd", {}, key)),
              ),
              h("dd", {}, each.says),
            ]),
          ),
        )
      ),
    ),
  });
}

start();
