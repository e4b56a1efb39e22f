/**
 * What happened to an episode.
 * @module
 */

import { h } from "../core/dom.js";
import { whoOf } from "../core/story.js";
import { words } from "./state.js";
import { requestLink, section } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

/** How the episode itself came about. @param {string} what */
const said = (what) => what === "put" ? "put together" : words(what);

/** The latest first. @param {any[]} steps @param {Context} context */
export function steps(steps, context) {
  const { zone, clock } = context;
  return section(
    "What happened",
    null,
    h(
      "ol",
      { class: "timeline" },
      [...steps].reverse().map((each) =>
        h(
          "li",
          {},
          h("time", {}, zone.moment(Date.parse(each.at), clock.now())),
          h(
            "span",
            {},
            said(each.what),
            each.request_id && [" · ", requestLink(context, each.request_id)],
            each.code && ` · ${words(each.code)}`,
            each.by && h("span", { class: "soft" }, ` · ${whoOf(each)}`),
          ),
        )
      ),
    ),
  );
}
