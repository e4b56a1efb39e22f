/**
 * The console: who is signed in, which market and page the address names, and the frame around the page.
 * @module
 */

import { address, followed, setQuery, visit } from "./address.js";
import { Api, Problem } from "./api.js";
import * as early from "./early.js";
import { drawFrame, frame, left, notForYou, pagesOf, showKeys, theme } from "./frame.js";
import { fill, h } from "./dom.js";
import { bind, holdKeys, playKeys } from "./keys.js";
import { Live } from "./live.js";
import { pageNamed } from "./pages.js";
import { watchHands } from "./press.js";
import { Store } from "./store.js";
import { Clock, Zone } from "./time.js";
import { showTrouble } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";
import { watch } from "./notify.js";
import { signIn } from "./sign_in.js";

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

/** @type {{ session: Session, market: string, live: Live, store: Store, clock: Clock, zone: Zone, api: Api, stop: () => void } | null} */
let opened = null;
let moved = false; // from the page that was opened first: then the keyboard follows
/** @type {AbortController} */
let page = new AbortController();

async function start() {
  theme();
  watchHands();
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

/**
 * Who is signed in. A service that is away is waited for: a wall's page must not need somebody to load it again.
 * @returns {Promise<Session | null>}
 */
async function signedIn() {
  const api = new Api(""), told = h("p", { class: "trouble", role: "alert", hidden: true });
  if (location.pathname === "/console/enter") return signIn(api, location.hash.slice(1));
  document.body.append(told);
  let asked = early.session;
  for (let pause_ms = 1_000;; pause_ms = Math.min(2 * pause_ms, 15_000)) {
    try {
      const session = await (asked || api.get("/console/session"));
      told.remove();
      return session;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        told.remove();
        return signIn(api, "");
      }
      showTrouble(told, error);
      if (!(error instanceof Problem) || (error.status && error.status < 500)) return null;
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
      asked = null;
    }
  }
}

/** @param {Session} session */
async function show(session) {
  const [, , given, name, ...path] = location.pathname.split("/").map(decoded);
  const market = session.markets.find((each) => each.id === given) || session.markets[0];
  if (!market) {
    return void fill(frame.main, h("p", { class: "trouble" }, "This session has no market of this service."));
  }
  const found = pageNamed(name || "");
  if (given && market.id !== given) {
    toast(`This session has no market ${given}: this is ${market.id}.`, { grave: true });
  }
  if (market.id !== given || !found) return go("today", [], {}, market.id, true);
  if (opened?.market !== market.id) open(session, market);
  page.abort();
  page = new AbortController();
  if (opened) drawFrame(opened, found.name, (market) => go("today", [], {}, market));
  const root = h("div", { class: `page page-${found.name}` });
  fill(frame.main, root);
  document.title = `${found.title} · ${market.id} · Dispatcher`;
  const signal = page.signal;
  holdKeys();
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
  if (!signal.aborted) playKeys();
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

/** What an address names; what names nothing stays as it is. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
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
    href: (name, rest, query) => address(market, name, rest, query),
    signal,
  };
}

/** @param {string} name @param {string[]} [path] @param {Record<string, string>} [query] @param {string} [market] @param {boolean} [instead] */
function go(name, path, query, market, instead) {
  visit(address(market || opened?.market || "", name, path, query), instead);
}

start();
