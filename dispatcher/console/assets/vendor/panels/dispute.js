/**
 * A line of a price, or of a month's statement, is wrong: which, and why.
 * @module
 */

import { h } from "../../core/dom.js";
import { money, t } from "../core/messages.js";
import { field } from "./field.js";
import { sheet } from "./sheet.js";
import "./words.js";

const MOST_CHARS = 1_000;

/**
 * Ask, and have it sent; a line that is being looked at is not offered.
 * @param {string} about the dispatch, or the item of a statement
 * @param {any[]} lines
 * @param {string} path of its disputes
 * @param {import("../core/app.js").Context} context
 */
export async function dispute(about, lines, path, { taps, api }) {
  const line = h(
    "select",
    { name: "line" },
    lines.map((each, at) => !each.disputed && h("option", { value: at + 1 }, says(each))),
  );
  const text = h("textarea", { name: "text", required: true, maxLength: MOST_CHARS });
  const body = await sheet({
    title: t("dispute.title"),
    draft: `dispute ${about}`,
    body: [field(t("dispute.line"), line), field(t("dispute.text"), text)],
    act: t("send"),
    run: (form) => ({ line: Number(form.get("line")), text: String(form.get("text")) }),
  });
  if (body) await taps.put({ about, kind: "dispute", method: "POST", path: `${api.base}${path}`, body });
}

/** @param {any} line */
const says = ({ kind, cents }) => `${t(`price.${kind}`)}, ${money(cents)}`;
