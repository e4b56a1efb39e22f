/**
 * What proves that work was done, only on demand: it says who signed, and that somebody looked is recorded.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { dialog, showTrouble } from "./dialog.js";
import { words } from "./state.js";
import { codeSays } from "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const WIDEST = 720; // pixels of a picture as it is shown
const WORKED_ON = ["accepted", "completed", "failed"];

/**
 * The dispatch of a request that may have proof: the last one; "" if no vendor has had the work.
 * @param {any} view
 */
export function provable(view) {
  const had = (view.attempts || []).filter((/** @type {any} */ each) => WORKED_ON.includes(each.state));
  return had.at(-1)?.id || "";
}

/**
 * Ask, then show.
 * @param {string} id of the dispatch
 * @param {Context} context
 */
export async function showProof(id, context) {
  const path = `/dispatches/${encodeURIComponent(id)}/proof`;
  const found = await dialog({
    title: "Show what proves the work",
    body: h(
      "p",
      {},
      `It says who signed. That you (${
        context.session.subject || context.session.roles.join(", ")
      }) looked, and when, ` +
        "is recorded, and ops can list it.",
    ),
    act: "Show it, and record that I looked",
    run: () => context.api.get(path),
  });
  if (found) await dialog({ title: `Proof of ${id}`, wide: true, body: shown(found, path, context) });
}

/** @param {any} proof @param {string} path @param {Context} context */
function shown(proof, path, context) {
  const parts = proof.parts || [], pictures = proof.pictures || [], lacks = proof.lacking || [];
  return [
    h(
      "p",
      {},
      lacks.length ? `Lacking: ${lacks.map(codeSays).join(", ")}.` : "Nothing that the market wants is lacking.",
    ),
    parts.length + pictures.length === 0 && h("p", { class: "soft" }, "Nothing was given yet."),
    parts.length > 0 &&
    h("ol", { class: "proof" }, parts.map((/** @type {any} */ each) => h("li", {}, partSays(each, context)))),
    pictures.length > 0 &&
    h(
      "ul",
      { class: "proof" },
      pictures.map((/** @type {any} */ each) => h("li", {}, pictureOf(each, path, context))),
    ),
  ];
}

/**
 * One part in words.
 * @param {any} part
 * @param {Pick<Context, "zone" | "clock">} context
 */
export function partSays(part, { zone, clock }) {
  const report = part.report, signed = report.signature;
  const items = (report.items || []).map((/** @type {any} */ each) =>
    [
      `${each.quantity || 1} × ${each.item} (${each.hcpcs})`,
      each.serial && `serial ${each.serial}`,
      each.lot && `lot ${each.lot}`,
    ]
      .filter(Boolean).join(", ")
  );
  const says = [
    `${words(report.part)} at ${zone.moment(Date.parse(part.at), clock.now())}, by ${part.by}`,
    signed &&
    (signed.by ? `signed by ${signed.by} (${words(signed.relationship)})` : `not signed: ${words(signed.refused)}`),
    report.odometer_miles !== undefined && report.odometer_miles !== null && `odometer ${report.odometer_miles} miles`,
    part.apart_m !== undefined && part.apart_m !== null &&
    `${part.apart_m} m from the door${part.outside ? ", outside what the market allows" : ""}`,
    ...items,
    report.instruction_given && "its use was explained",
    !part.counts && "corrected since",
  ];
  return says.filter(Boolean).join("; ");
}

/**
 * A picture behind a button: it is read only when somebody wants to see it.
 * @param {any} picture
 * @param {string} path
 * @param {Context} context
 */
function pictureOf(picture, path, context) {
  const named = `${words(picture.of)} ${picture.number} of ${words(picture.part)}`;
  const place = h("div", {}), trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const show = async () => {
    try {
      const query = { of: picture.of, number: picture.number };
      const answer = await context.api.fetch("GET", `${path}/${picture.part}/blob`, { query, accept: picture.media });
      fill(place, await drawn(await answer.blob(), named));
      trouble.hidden = true;
    } catch (error) {
      showTrouble(trouble, error);
    }
  };
  place.append(h("button", { type: "button", onclick: () => void show() }, `Show ${named}`));
  return [place, trouble];
}

/** As pixels of ours: nothing is loaded by the page, and nothing of it can run. @param {Blob} blob @param {string} named @param {number} [widest] */
export async function drawn(blob, named, widest = WIDEST) {
  const picture = await createImageBitmap(blob).catch(() => {
    throw new Error(`${named} cannot be shown: its bytes are no picture\nMaybe ask its vendor for another.`);
  });
  const scale = Math.min(1, widest / picture.width);
  const canvas = h("canvas", { role: "img", "aria-label": named });
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas;
}
