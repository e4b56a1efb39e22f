/**
 * What stands around every page: the bar, the navigation, the keys, the theme; and what whoever has no page is told.
 * @module
 */

import { address } from "./address.js";
import { Api } from "./api.js";
import { fill, h } from "./dom.js";
import { bound } from "./keys.js";
import { STATUS } from "./live.js";
import { PAGES } from "./pages.js";
import { dialog } from "../parts/dialog.js";
import { askNotify } from "../parts/notify_dialog.js";
import { toast } from "../parts/toast.js";

/** @typedef {import("./app.js").Session} Session */
/** @typedef {{ session: Session, market: string, live: import("./live.js").Live, clock: import("./time.js").Clock, zone: import("./time.js").Zone }} Opened */

export const frame = {
  main: h("main", { id: "main", tabindex: "-1" }),
  nav: h("nav", { "aria-label": "Pages" }),
  bar: h("header", { class: "bar" }),
};

let ticking = 0; // the bar's clock

export const left = new BroadcastChannel(`dispatcher ${location.port} signed out`);

/**
 * The navigation, and once a market the bar.
 * @param {Opened} opened
 * @param {string} current the page
 * @param {(market: string) => void} go to another market
 */
export function drawFrame(opened, current, go) {
  drawNav(opened.market, current, pagesOf(opened.session));
  if (frame.bar.dataset.market === opened.market) return;
  frame.bar.dataset.market = opened.market;
  drawBar(opened, go);
}

/** @param {string} market @param {string} current @param {import("./pages.js").Page[]} pages */
function drawNav(market, current, pages) {
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
            href: address(market, each.name),
            "aria-current": each.name === current ? "page" : null,
            title: `g ${each.key}`,
          }, each.title)
        ),
      )
    ),
  );
  frame.nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // a phone's is a strip
}

/** @param {Opened} opened @param {(market: string) => void} go */
function drawBar(opened, go) {
  const { session, clock, zone, live, market } = opened;
  const time = h("span", { class: "clock" });
  const tick = () => {
    const now = clock.now();
    fill(
      time,
      h("strong", {}, zone.time(now)),
      " ",
      h("span", { class: "wide" }, `${zone.day(now)} · ${zone.name} (`),
      zone.abbreviation(now),
      h("span", { class: "wide" }, ")"),
    );
  };
  tick();
  clearInterval(ticking);
  ticking = setInterval(tick, 1_000);
  const state = h("span", { class: "live", role: "status" });
  live.onStatus((status) => {
    document.documentElement.dataset.live = status;
    fill(state, STATUS[status]);
  });
  const markets = h(
    "select",
    { "aria-label": "Market", onchange: () => go(markets.value) },
    session.markets.map((each) => h("option", { value: each.id }, each.id)),
  );
  markets.value = market;
  const who = session.subject || session.roles.join(", ");
  const menu = h( // on a phone it opens; else it stands in the bar
    "div",
    { class: "menu", popover: "auto" },
    h("button", { type: "button", class: "quiet", title: "Keys (?)", onclick: showKeys }, "Keys"),
    h("button", { type: "button", class: "quiet", title: "Sounds and notifications", onclick: askNotify }, "Notify"),
    h("button", { type: "button", class: "quiet", onclick: nextTheme }, "Theme"),
    h("span", { class: "who", title: session.roles.join(", ") }, who),
    h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out"),
  );
  fill(
    frame.bar,
    h("a", { class: "brand", href: address(market, "today") }, "Dispatcher"),
    session.markets.length > 1 ? markets : h("strong", {}, market),
    time,
    h("span", { class: "grow" }),
    state,
    h("button", { type: "button", class: "bar-menu", popoverTargetElement: menu }, "Menu"),
    menu,
  );
}

/** Those that this session may use. @param {Session} session */
export function pagesOf(session) {
  return PAGES.filter((each) => !each.ops || session.roles.includes("ops"));
}

/** Whoever reads no request has nothing here, and is not to be told that nothing is wrong. @param {Session} session */
export function notForYou(session) {
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

export async function signOut() {
  try {
    await new Api("").call("DELETE", "/console/session");
  } catch (error) {
    return toast(`You are still signed in: ${error instanceof Error ? error.message : error}`, { grave: true });
  }
  left.postMessage("");
  location.assign("/console");
}

export function theme() {
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

export async function showKeys() {
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
