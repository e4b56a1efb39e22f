/**
 * The document of a vendor's paper: looked at beside *Verify*, and sent for a vendor that brings it on paper.
 * @module
 */

import { save } from "../core/csv.js";
import { fill, h } from "../core/dom.js";
import { whoOf } from "../core/story.js";
import { dialog, field, showTrouble } from "./dialog.js";
import { drawn } from "./proof.js";
import { words } from "./state.js";
import { button } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

export const TAKEN = "image/png,image/jpeg,application/pdf", MOST_BYTES = 2_000_000;
const WIDEST = 1_600; // pixels: small print is to be read
const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "application/pdf": "pdf" };

/** How large it is, and what it is: `PDF, 212 KB`. @param {any} file */
export function fileSays(file) {
  const size = file.bytes < 1_000 ? `${file.bytes} B` : `${Math.round(file.bytes / 1_000)} KB`;
  return `${ENDINGS[/** @type {keyof ENDINGS} */ (file.media)].toUpperCase()}, ${size}`;
}

/**
 * What its cell shows: the document behind a button, or where to send one.
 * @param {any} vendor
 * @param {any} paper
 * @param {Context} context
 * @param {{ again: () => Promise<void>, verify: () => Promise<any> }} then
 */
export function fileOf(vendor, paper, context, then) {
  const says = `${words(paper.kind)} until ${paper.expires_on}`;
  return h(
    "span",
    { class: "acts" },
    paper.document && h("span", {}, paper.document),
    paper.file &&
      button(`See ${fileSays(paper.file)} …`, () => see(vendor, paper, context, then), {
        "aria-label": `See the document of ${says}, ${fileSays(paper.file)}`,
      }),
    button(paper.file ? "Send another …" : "Send …", () => send(vendor, paper, context, then.again), {
      class: "quiet",
      "aria-label": `Send ${paper.file ? "another" : "a"} document of ${says}`,
    }),
  );
}

/** @param {any} vendor @param {any} paper @param {Context} context @param {{ again: () => Promise<void>, verify: () => Promise<any> }} then */
async function see(vendor, paper, context, { again, verify }) {
  const place = h("div", { class: "proof" }, h("p", { role: "status" }, "It is read …"));
  const trouble = h("p", { class: "trouble", role: "alert", hidden: true });
  const named = `${words(paper.kind)} of ${vendor.id}, until ${paper.expires_on}`;
  let isThere = false;
  void shown(vendor, paper, named, context).then((found) => {
    fill(place, ...found);
    isThere = true;
  }, (error) => {
    fill(place);
    showTrouble(trouble, error);
  });
  const sent = whoOf(paper.file);
  const when = context.zone.moment(Date.parse(paper.file.at), context.clock.now());
  const facts = h(
    "p",
    { class: "soft" },
    [paper.document, `${fileSays(paper.file)}, sent by ${sent}, ${when}.`, "That you looked is kept."].filter(Boolean)
      .join(" · "),
  );
  const done = await dialog({
    title: named,
    body: [facts, place, trouble],
    act: paper.verified ? undefined : "Verify it",
    run: () => {
      if (!isThere) throw new Error("The document is not there yet.\nMaybe wait until you have seen it.");
      return verify();
    },
    wide: true,
  });
  if (done) await again();
}

/** @param {any} vendor @param {any} paper @param {string} named @param {Context} context */
async function shown(vendor, paper, named, context) {
  const query = { expires_on: paper.expires_on, sha256: paper.file.sha256 };
  const path = pathOf(vendor, paper), media = paper.file.media;
  const blob = await (await context.api.fetch("GET", path, { query, accept: media })).blob();
  const ending = ENDINGS[/** @type {keyof ENDINGS} */ (media)];
  const file = `${vendor.id}-${paper.kind}-${paper.expires_on}.${ending}`;
  const keep = button(`Save ${ending.toUpperCase()}`, () => save(file, blob));
  if (ending === "pdf") {
    return [
      h("p", {}, "A PDF is not shown here: open it with a program that you trust."),
      h("span", { class: "acts" }, keep),
    ];
  }
  return [await drawn(blob, named, WIDEST), h("span", { class: "acts" }, keep)];
}

/** @param {any} vendor @param {any} paper @param {Context} context @param {() => Promise<void>} again */
async function send(vendor, paper, context, again) {
  const file = h("input", { type: "file", name: "file", accept: TAKEN, required: true });
  const done = await dialog({
    title: `Document of ${words(paper.kind)} of ${vendor.id}, until ${paper.expires_on}`,
    body: [
      field("Picture or PDF", file, "PNG, JPEG or PDF, at most 2 MB. It is encrypted; the vendor and ops can read it."),
      paper.verified && h("p", { class: "warn" }, "It was verified: with another document it is to be verified anew."),
    ],
    act: "Send it",
    run: async (form) => {
      const chosen = form.get("file");
      if (!(chosen instanceof File) || !chosen.size) throw new Error("No file is chosen.");
      if (chosen.size > MOST_BYTES) throw new Error("It has more than 2 MB.\nMaybe scan it with fewer dots per inch.");
      const query = { expires_on: paper.expires_on };
      await context.api.call("PUT", pathOf(vendor, paper), { query, bytes: chosen, media: chosen.type });
    },
  });
  if (done) await again();
}

/** @param {any} vendor @param {any} paper */
const pathOf = (vendor, paper) => `/vendors/${vendor.id}/credentials/${paper.kind}/document`;
