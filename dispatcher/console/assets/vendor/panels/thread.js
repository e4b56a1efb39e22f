/**
 * What vendor and dispatchers write to each other about one ride.
 * @module
 */

import { h } from "../../core/dom.js";
import { draft } from "../core/drafts.js";
import { t } from "../core/messages.js";
import { onTheirWay, redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { once } from "./once.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const MOST_CHARS = 1_000;

export const title = () => t("thread.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, taps, signal, path: [id = ""], session, world } = context, mine = `vendor:${session.vendor_id}`;
  const list = h("ol", { class: "thread", "aria-live": "polite" }), way = h("div", { class: "cards" });
  const text = h("textarea", { name: "text", required: true, maxLength: MOST_CHARS });
  const post = once(async () => {
    const value = text.value;
    if (!value.trim()) return;
    text.value = ""; // what is typed from here on is another
    posted();
    const path = `${api.base}/dispatches/${id}/messages`;
    await taps.put({ about: id, kind: "message", value, method: "POST", path, body: { text: value } });
  });
  const writing = h(
    "form",
    { class: "card", onsubmit: post },
    field(t("thread.text"), text),
    h("button", { class: "primary" }, t("send")),
  );
  const posted = draft(writing, `thread ${id}`);
  root.append(
    h("a", { class: "back", href: `/vendor/ride/${id}` }, t("back")),
    h("h1", {}, title()),
    list,
    way,
    writing,
  );
  const read = async () => {
    try {
      const thread = await api.get(`/dispatches/${id}/messages`, {}, signal);
      redraw(list, thread.messages.map((/** @type {any} */ each) => message(each, mine, context)));
      if (!thread.messages.length) redraw(list, h("li", { class: "empty" }, t("thread.none")));
      if (thread.unread) {
        await api.post(`/dispatches/${id}/messages/read`, {});
        world.again(id); // what was asked before the mark says that they are new
      }
      world.seen(id);
    } catch (error) {
      if (!signal.aborted) redraw(list, h("li", {}, trouble(said(error))));
    }
  };
  const draw = () => redraw(way, onTheirWay(taps, id));
  addEventListener("told", (event) => {
    if (/** @type {CustomEvent} */ (event).detail.data?.offer_id === id) void read();
  }, { signal });
  signal.addEventListener(
    "abort",
    taps.onChange((sent) => {
      draw();
      if (sent?.about === id) void read();
    }),
  );
  draw();
  addEventListener("back", () => void read(), { signal });
  await read();
}

/** @param {any} message @param {string} mine @param {Context} context */
function message({ by, subject, text, at }, mine, { times, clock }) {
  const who = by === mine ? subject || t("thread.you") : t("thread.them");
  return h(
    "li",
    { class: by === mine ? "mine" : "theirs" },
    h("p", { class: "patient" }, text),
    h("p", { class: "soft" }, `${who} · ${times.moment(at, clock.now())}`),
  );
}
