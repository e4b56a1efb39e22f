/**
 * The service worker: the page and what it has read are there without a connection; taps are sent once there is
 * one. Who is signed out has nothing kept.
 * @module
 */

import { nextWait, sendDue, WORD } from "../core/taps.js";

const SHELL = "/vendor", SESSION = "/vendor/session", OLD_MS = 86_400_000, PATIENCE_MS = 8_000;
const PAGES = "dispatcher-vendor-page-", HEARD = "dispatcher-vendor-heard";
const KEPT =
  /^\/v1\/markets\/[^/]+\/(offers|dispatches(\/[^/]+(\/(price|messages|proof))?)?|vendors\/[^/]+(\/(?!credentials\/).*)?)$/;
const UNAUTHENTICATED = 401;

/** @param {{ digest: string, files: string[] }} said */
export function begin({ digest, files }) {
  const worker = /** @type {any} */ (globalThis), page = PAGES + digest;
  worker.addEventListener("install", (/** @type {any} */ event) => {
    const fetched = async () => (await caches.open(page)).addAll([...files, SHELL]);
    event.waitUntil(fetched().then(() => worker.skipWaiting()));
  });
  worker.addEventListener("activate", (/** @type {any} */ event) => {
    event.waitUntil(tidy(page).then(() => worker.clients.claim()));
  });
  worker.addEventListener("fetch", (/** @type {any} */ event) => {
    const answer = answerTo(event.request, page);
    if (answer) event.respondWith(answer());
  });
  worker.addEventListener("sync", (/** @type {any} */ event) => event.waitUntil(send()));
}

/** How a call is answered; none: as if there were no worker. @param {Request} request @param {string} page */
function answerTo(request, page) {
  const url = new URL(request.url);
  if (url.origin !== location.origin) return null;
  if (url.pathname === SESSION && request.method !== "GET") return () => leaving(request);
  if (request.method !== "GET") return null;
  if (request.mode === "navigate") return url.pathname.startsWith(SHELL) ? () => navigated(request, page) : null;
  if (url.pathname === SESSION) return () => purged().then(() => read(request));
  if (KEPT.test(url.pathname)) return () => read(request);
  return url.pathname.startsWith("/console/assets/") ? () => file(request, page) : null;
}

/** The page as it was kept with its files: a new one comes with a new worker. @param {Request} request @param {string} page */
async function navigated(request, page) {
  return await (await caches.open(page)).match(SHELL) || fetch(request);
}

/** @param {Request} request @param {string} page */
async function file(request, page) {
  return await (await caches.open(page)).match(request.url) || fetch(request);
}

/** The service's answer; without one, what it said last, with when that was. @param {Request} request */
async function read(request) {
  const heard = await caches.open(HEARD);
  let response;
  try {
    response = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const kept = await heard.match(request.url), at = Number(kept?.headers.get("X-Kept-At") || 0);
    if (!kept || Date.now() - at > OLD_MS) throw error;
    return kept;
  }
  if (response.status === UNAUTHENTICATED) await forget();
  else if (response.ok) await heard.put(request.url, await dated(response.clone()));
  else await heard.delete(request.url);
  return response;
}

/** @param {Response} response */
async function dated(response) {
  const headers = new Headers(response.headers);
  headers.set("X-Kept-At", String(Date.now()));
  return new Response(await response.blob(), { status: response.status, headers });
}

/** Another session, or none: nothing of the last one stays. A code that does not hold changes nothing. @param {Request} request */
async function leaving(request) {
  const response = await fetch(request);
  if (response.ok || response.status === UNAUTHENTICATED && request.method === "DELETE") await forget();
  return response;
}

/** What is too old to be shown is not kept either. */
async function purged() {
  const heard = await caches.open(HEARD);
  for (const each of await heard.keys()) {
    const at = Number((await heard.match(each))?.headers.get("X-Kept-At") || 0);
    if (Date.now() - at > OLD_MS) await heard.delete(each);
  }
}

const forget = () => caches.delete(HEARD);

/** @param {string} page */
async function tidy(page) {
  const old = (await caches.keys()).filter((each) => each.startsWith(PAGES) && each !== page);
  await Promise.all(old.map((each) => caches.delete(each)));
}

/** What waits, of whoever is signed in: also what may still be undone, for its page may be closed by then. */
async function send() {
  const response = await fetch(SESSION, { headers: { "X-Requested-With": WORD } });
  if (!response.ok) return;
  const { market, vendor_id } = await response.json(), owner = `${market}/${vendor_id}`;
  for (let wait = 0; wait >= 0;) {
    await new Promise((done) => setTimeout(done, wait));
    if (!await sendDue(owner)) throw new Error("the service does not answer");
    wait = await nextWait(owner) ?? -1;
  }
}
