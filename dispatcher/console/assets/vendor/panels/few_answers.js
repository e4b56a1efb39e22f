/**
 * Answers to an offer that few give: no, or otherwise.
 * @module
 */

import { t } from "../core/messages.js";
import { ask } from "./counter.js";
import { answer } from "./offers.js";
import { choose } from "./sheet.js";
import { DECLINES } from "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

/** @param {any} offer @param {Context} context */
export async function decline(offer, context) {
  const code = await choose(t("decline.title"), DECLINES.map((each) => [each, t(`code.${each}`)]));
  if (code) await answer(offer, context, "decline", { code });
}

/** @param {any} offer @param {Context} context */
export async function counter(offer, context) {
  const said = await ask(offer, context);
  if (said) await answer(offer, context, "counter", said);
}
