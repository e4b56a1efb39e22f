/**
 * The service's HTTP interface, as this session may use it.
 * @module
 */

/** What the service refused (RFC 9457): what is wrong, and on a second line what may fix it. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {Record<string, any>} body
   */
  constructor(status, body) {
    super(body.detail || body.title || `the service answered ${status}`);
    this.status = status;
    /** The last part of the problem's type: `stale-version`. */
    this.type = String(body.type || "").split("/").at(-1) || "";
    this.title = String(body.title || "");
    this.body = body;
  }
}

/**
 * @typedef {object} Ask
 * @property {Record<string, string | number | boolean | undefined | null>} [query]
 * @property {any} [body]
 * @property {Blob} [bytes] a body that is no message, of `media`
 * @property {string} [media]
 * @property {string} [ifMatch] an ETag as it was read, or `*`
 * @property {string} [key] Idempotency-Key; a POST gets one of its own
 * @property {AbortSignal} [signal]
 * @property {string} [accept]
 */

/** `kept`: when it was heard, if it is what a service worker has kept. */
/** @typedef {{ data: any, etag: string, status: number, kept: number }} Answer */

/** Calls of one market: paths begin behind `/v1/markets/{market}`, unless they begin with `/v1`, `/console` or `/vendor`. */
export class Api {
  /** @param {string} market @param {string} [page] whose session is meant */
  constructor(market, page = "dispatcher") {
    this.market = market;
    this.headers = { "X-Requested-With": page };
    this.base = `/v1/markets/${market}`;
  }

  /**
   * @param {string} path
   * @param {Ask["query"]} [query]
   */
  url(path, query = {}) {
    const whole = /^\/(v1|console|vendor|readyz|livez|metrics)(\/|$)/.test(path) ? path : this.base + path;
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
    const words = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return given.length ? `${whole}?${words}` : whole;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Ask} [ask]
   * @returns {Promise<Answer>}
   */
  async call(method, path, ask = {}) {
    const response = await this.fetch(method, path, ask);
    const text = await response.text();
    const etag = response.headers.get("ETag") || "", kept = Number(response.headers.get("X-Kept-At") || 0);
    return { data: text ? JSON.parse(text) : null, etag, status: response.status, kept };
  }

  /**
   * The bare response, if it is no refusal. Raises Problem.
   * @param {string} method
   * @param {string} path
   * @param {Ask} [ask]
   */
  async fetch(method, path, ask = {}) {
    /** @type {Record<string, string>} */
    const headers = { ...this.headers, Accept: ask.accept || "application/json" };
    if (ask.bytes || ask.body !== undefined) headers["Content-Type"] = ask.media || "application/json";
    if (ask.ifMatch) headers["If-Match"] = ask.ifMatch;
    if (method === "POST") headers["Idempotency-Key"] = ask.key || newKey();
    const body = ask.bytes || (ask.body === undefined ? undefined : JSON.stringify(ask.body));
    let response;
    try {
      response = await fetch(this.url(path, ask.query), {
        method,
        headers,
        body,
        signal: ask.signal,
        cache: "no-store",
      });
    } catch (error) {
      if (ask.signal?.aborted) throw error;
      throw new Problem(0, { title: "The service does not answer", detail: "the service does not answer" });
    }
    return response.ok ? response : refused(response);
  }

  /**
   * @param {string} path
   * @param {Ask["query"]} [query]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  async get(path, query, signal) {
    return (await this.call("GET", path, { query, signal })).data;
  }

  /**
   * A list page by page, to its end or until the reader has enough.
   * @param {string} path
   * @param {Record<string, any>} query
   * @param {AbortSignal} [signal]
   */
  async *pages(path, query, signal) {
    for (let cursor = "";;) {
      const page = await this.get(path, { ...query, cursor }, signal);
      yield page;
      if (!(cursor = page.cursor)) return;
    }
  }

  /**
   * @param {string} path
   * @param {any} [body]
   * @param {Ask} [ask]
   * @returns {Promise<any>}
   */
  async post(path, body, ask = {}) {
    return (await this.call("POST", path, { ...ask, body })).data;
  }

  /**
   * @param {string} path
   * @param {any} body
   * @param {Ask} [ask]
   * @returns {Promise<any>}
   */
  async put(path, body, ask = {}) {
    return (await this.call("PUT", path, { ...ask, body })).data;
  }

  /**
   * Server-sent events until the signal ends it: `event(id, data)` for each, data parsed as JSON.
   * @param {string} path
   * @param {(id: string, data: any) => void} event
   * @param {Ask & { after?: string, opened?: () => void }} [ask]
   */
  async stream(path, event, ask = {}) {
    /** @type {Record<string, string>} */
    const headers = { ...this.headers, Accept: "text/event-stream" };
    if (ask.after) headers["Last-Event-ID"] = ask.after;
    const response = await fetch(this.url(path, ask.query), { headers, signal: ask.signal, cache: "no-store" });
    if (!response.ok || !response.body) return refused(response);
    ask.opened?.();
    for await (const { id, data } of frames(response.body)) event(id, data ? JSON.parse(data) : null);
  }
}

/**
 * Raises what the service refused; a session that has ended is told to the page, whatever was asked.
 * @param {Response} response
 * @returns {Promise<never>}
 */
async function refused(response) {
  const told = await response.json().catch(() => ({}));
  if (response.status === 401) dispatchEvent(new CustomEvent("signed-out"));
  throw new Problem(response.status, told);
}

/**
 * The events of a stream; a comment ("still here") is one without data.
 * @param {ReadableStream<Uint8Array>} body
 */
async function* frames(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split("\n\n");
    rest = parts.pop() || "";
    for (const part of parts) yield frame(part);
  }
}

/**
 * One frame of an event stream.
 * @param {string} text
 */
export function frame(text) {
  const found = { id: "", data: "" };
  for (const line of text.split("\n")) {
    if (line.startsWith("id:")) found.id = line.slice(3).trim();
    else if (line.startsWith("data:")) found.data += (found.data ? "\n" : "") + line.slice(5).replace(/^ /, "");
  }
  return found;
}

/** A key that no other call has; where there is no secure context, too. */
export function newKey() {
  return crypto.randomUUID?.() ||
    [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}
