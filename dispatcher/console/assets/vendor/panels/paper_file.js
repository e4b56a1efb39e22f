/**
 * The photo or PDF of a paper: taken or chosen, made small, sent, looked at.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { said } from "../core/pieces.js";
import { field } from "./field.js";
import { Hint, sheet } from "./sheet.js";
import { photo } from "./picture.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {{ kind: any, expires_on: any, verified?: any, file?: any }} Paper */

const PDF = "application/pdf", TAKEN = `image/*,${PDF}`, MOST_BYTES = 2_000_000, SIDES_PX = [2_400, 1_600, 1_200, 900];
const WIDEST_PX = 720, KB = 1_000;

/** By camera or from what is there: the phone asks which. */
export const chooser = (required = false) => h("input", { type: "file", name: "file", accept: TAKEN, required });

/**
 * What there is of a paper, and what may be done about it.
 * @param {Paper} paper
 * @param {Context} context
 * @param {() => Promise<void>} read
 */
export function fileOf(paper, context, read) {
  const { file } = paper, named = t(`paper.${paper.kind}`);
  const send = h(
    "button",
    { type: "button", onclick: () => void ask(paper, context, read) },
    t(file ? "papers.file.another" : "papers.file.send"),
    h("span", { class: "unseen" }, ` ${named}`),
  );
  if (!file) return [h("p", { class: "soft" }, t("papers.file.none")), send];
  const what = t(file.media === PDF ? "papers.file.pdf" : "papers.file.picture");
  const day = context.times.dated(context.times.date(Date.parse(file.at)));
  const see = h(
    "button",
    { type: "button", onclick: () => void look(paper, context) },
    t("papers.file.see"),
    h("span", { class: "unseen" }, ` ${named}`),
  );
  return [
    h("p", { class: "soft" }, t("papers.file.there", { what, n: Math.max(1, Math.round(file.bytes / KB)), day })),
    h("div", { class: "beside" }, see, send),
  ];
}

/** What was chosen, as small as it is sent; null: nothing was. @param {FormData} form @returns {Promise<Blob | null>} */
export async function chosenOf(form) {
  const chosen = form.get("file");
  if (!(chosen instanceof File) || !chosen.size) return null;
  if (chosen.type !== PDF) {
    return await photo(chosen, MOST_BYTES, SIDES_PX).catch(() => Promise.reject(new Hint(t("papers.file.unread"))));
  }
  if (chosen.size > MOST_BYTES) throw new Hint(t("papers.file.large"));
  return chosen;
}

/** @param {Paper} paper @param {Blob} file @param {Context} context */
export async function sendFile(paper, file, { api, session }) {
  const query = { expires_on: paper.expires_on };
  await api.call("PUT", pathOf(paper, session), { query, bytes: file, media: file.type });
}

/** @param {Paper} paper @param {Context} context @param {() => Promise<void>} read */
async function ask(paper, context, read) {
  const done = await sheet({
    title: t(`paper.${paper.kind}`),
    body: [
      field(t("papers.file.needed"), chooser(true)),
      paper.verified ? h("p", { class: "warn" }, t("papers.file.anew")) : null,
    ],
    act: t("send"),
    again: read,
    run: async (form) => {
      const chosen = await chosenOf(form);
      if (!chosen) throw new Hint(t("papers.file.choose"));
      await sendFile(paper, chosen, context);
    },
  });
  if (done) await read();
}

/** @param {Paper} paper @param {Context} context */
async function look(paper, { api, session }) {
  const place = h("div", { role: "status" }), name = t(`paper.${paper.kind}`);
  const show = async () => {
    const query = { expires_on: paper.expires_on };
    const answer = await api.fetch("GET", pathOf(paper, session), { query, accept: paper.file.media });
    const content = await answer.blob();
    if (paper.file.media !== PDF) return [await drawn(content, name)];
    return [h("button", { type: "button", onclick: () => save(content, paper) }, t("papers.file.save"))];
  };
  void show().then((found) => fill(place, ...found), (error) => fill(place, said(error)));
  await sheet({ title: name, body: place });
}

/** As pixels of ours: nothing of the file can run. @param {Blob} content @param {string} name */
async function drawn(content, name) {
  const picture = await createImageBitmap(content);
  const scale = Math.min(1, WIDEST_PX / picture.width);
  const canvas = h("canvas", { role: "img", "aria-label": name, class: "document" });
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas;
}

/** @param {Blob} content @param {Paper} paper */
function save(content, paper) {
  const link = h("a", { href: URL.createObjectURL(content), download: `${paper.kind}-${paper.expires_on}.pdf` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {Paper} paper @param {any} session */
const pathOf = (paper, session) => `/vendors/${session.vendor_id}/credentials/${paper.kind}/document`;
