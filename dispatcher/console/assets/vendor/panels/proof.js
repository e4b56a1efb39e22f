/**
 * Proof that work was done: when and where, who signed, what was left, and a photo.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { draft } from "../core/drafts.js";
import { t } from "../core/messages.js";
import { once } from "./once.js";
import { photo } from "./picture.js";
import { onTheirWay, redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { Hint } from "./sheet.js";
import { itemFields, itemsOf } from "./proof_items.js";
import { pad } from "./signature.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {(part: string) => any} Before what was said of a part so far */
/** @typedef {Map<string, any>} Said by part, what this page said that no reading told yet */

const RELATIONSHIPS = [
  "self",
  "spouse",
  "parent",
  "child",
  "relative",
  "guardian",
  "caregiver",
  "facility_staff",
  "other",
];
const REASONS = ["declined", "unable", "nobody_there", "precautions", "other"];
const FIX = { enableHighAccuracy: true, timeout: 8_000, maximumAge: 60_000 };

export const title = () => t("proof.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, world, taps, signal, path: [id = ""] } = context;
  const state = h("div", { class: "cards" }), way = h("div", { class: "cards" }), place = h("div", {});
  root.append(
    h("a", { class: "back", href: `/vendor/ride/${id}` }, t("back")),
    h("h1", {}, title()),
    state,
    way,
    place,
  );
  /** @type {any} */
  let proof = null;
  /** @type {Said} */
  const own = new Map();
  const onTheWay = (/** @type {string} */ part) =>
    taps.of(id).filter((each) => each.kind === "proof" && !each.refused && each.body.part === part).at(-1)?.body;
  /** @type {Before} */
  const before = (part) => {
    const given = proof?.parts.find((/** @type {any} */ each) => each.counts && each.report.part === part);
    return onTheWay(part) || own.get(part) || given && { at: given.at, ...given.report };
  };
  const read = async () => {
    const decided = [...own].filter(([part]) => !onTheWay(part)); // this reading tells what became of it
    try {
      proof = await api.get(`/dispatches/${id}/proof`, {}, signal);
      for (const [part, body] of decided) if (own.get(part) === body) own.delete(part);
      redraw(
        state,
        lacking(proof),
        proof.parts.filter((/** @type {any} */ each) => each.counts).map((/** @type {any} */ each) =>
          given(each, proof, context)
        ),
      );
    } catch (error) {
      if (!signal.aborted) redraw(state, trouble(said(error)));
    }
  };
  const draw = () => redraw(way, onTheirWay(taps, id));
  signal.addEventListener(
    "abort",
    taps.onChange((sent) => {
      draw();
      if (sent?.about === id) void read();
    }),
  );
  draw();
  const dispatch = await world.known(id);
  if (dispatch?.offer.kind === "trip") fill(place, form(dispatch, { before, own }, context));
  addEventListener("back", () => void read(), { signal });
  await read();
  if (dispatch && !place.firstChild) fill(place, form(dispatch, { before, own }, context)); // it shows what was left so far
}

/** @param {any} proof */
function lacking(proof) {
  if (!proof.lacking.length) return proof.required.length ? h("p", { class: "good" }, t("proof.whole")) : null;
  return h(
    "p",
    { class: "warn" },
    t("proof.lacking", { what: proof.lacking.map((/** @type {string} */ each) => t(`lacking.${each}`)).join(", ") }),
  );
}

/** @param {any} part @param {any} proof @param {Context} context */
function given({ report, at, outside }, proof, { times, clock }) {
  const pictures = proof.pictures.filter((/** @type {any} */ each) => each.part === report.part).length;
  const signed = report.signature?.by || (report.signature?.refused && t(`refused.${report.signature.refused}`));
  return h(
    "article",
    { class: "card" },
    h("h2", {}, `${t(`part.${report.part}`)} · ${times.moment(at, clock.now())}`),
    signed ? h("p", { class: "patient" }, t("proof.signed", { who: signed })) : null,
    pictures ? h("p", { class: "soft" }, t("proof.pictures", { n: pictures })) : null,
    outside ? h("p", { class: "warn" }, t("proof.outside")) : null,
  );
}

/** @param {any} dispatch @param {{ before: Before, own: Said }} known @param {Context} context */
function form(dispatch, known, context) {
  const isTrip = dispatch.offer.kind === "trip", parts = isTrip ? ["dropoff", "pickup"] : ["delivery"];
  const signing = pad(),
    where = position(),
    items = isTrip ? null : itemFields(dispatch.offer.lines, known.before("delivery"));
  const part = h("select", { name: "part" }, parts.map((each) => h("option", { value: each }, t(`part.${each}`))));
  const who = signer(signing, dispatch.patient);
  const refused = h("p", { class: "trouble", role: "alert", hidden: true });
  const act = h("button", { class: "primary" }, t("send"));
  const made = h(
    "form",
    { class: "card" },
    h("h2", {}, t("proof.new")),
    isTrip ? field(t("proof.part"), part) : null,
    where.element,
    isTrip
      ? field(
        t("proof.odometer"),
        h("input", { name: "odometer", inputMode: "decimal", pattern: "[0-9]{1,7}([.,][0-9])?" }),
      )
      : null,
    items?.element,
    who,
    field(t("proof.photo"), h("input", { type: "file", name: "photo", accept: "image/*", capture: "environment" })),
    refused,
    act,
  );
  const sent = draft(made, `proof ${dispatch.id}`, signing.lines);
  made.addEventListener(
    "submit",
    once(async () => {
      made.inert = true; // what is typed from here on would not be sent
      try {
        await send(dispatch, new FormData(made), part.value, { where, signing, items, ...known }, context);
        sent();
        fill(/** @type {HTMLElement} */ (made.parentElement), form(dispatch, known, context));
      } catch (error) {
        refused.textContent = error instanceof Hint ? error.message : said(error);
        refused.hidden = made.inert = false;
        act.focus();
      }
    }),
  );
  return made;
}

/** Who signs, or why nobody does. @param {{ element: HTMLElement }} signing @param {any} patient */
function signer(signing, patient) {
  const by = h("input", { name: "by", maxLength: 120, autocomplete: "off", class: "patient" });
  const relationship = h(
    "select",
    {
      name: "relationship",
      onchange: () => {
        if (relationship.value === "self" && !by.value) by.value = patient?.name || "";
      },
    },
    h("option", { value: "" }, "–"),
    RELATIONSHIPS.map((each) => h("option", { value: each }, t(`relationship.${each}`))),
  );
  const reason = h(
    "select",
    { name: "refused" },
    h("option", { value: "" }, t("proof.signs")),
    REASONS.map((each) => h("option", { value: each }, t(`refused.${each}`))),
  );
  const signs = h(
    "div",
    { class: "choices" },
    signing.element,
    field(t("proof.relationship"), relationship),
    field(t("proof.by"), by),
  );
  reason.addEventListener("change", () => signs.hidden = Boolean(reason.value));
  return h("fieldset", {}, h("legend", {}, t("proof.signature")), field(t("proof.whether"), reason), signs);
}

/** Where the phone is, if its owner says so. */
function position() {
  /** @type {[number, number] | null} */
  let found = null;
  const told = h("span", { class: "soft", role: "status" });
  const ask = () =>
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      found = [Number(coords.longitude.toFixed(6)), Number(coords.latitude.toFixed(6))];
      told.textContent = t("proof.position.found", { n: Math.round(coords.accuracy) });
    }, () =>
      told.textContent = t("proof.position.none"), FIX);
  const element = h(
    "div",
    { class: "beside" },
    told,
    h("button", { type: "button", onclick: ask }, t("proof.position")),
  );
  return { element, get: () => found };
}

/**
 * @param {any} dispatch
 * @param {FormData} given
 * @param {string} part
 * @param {{ where: { get: () => any }, signing: { picture: () => Promise<Blob | null> }, items: any, before: Before, own: Said }} said
 * @param {Context} context
 */
async function send(dispatch, given, part, { where, signing, items, before, own }, { taps, api, clock }) {
  const text = (/** @type {string} */ name) => String(given.get(name) || "").trim();
  const written = text("refused") ? null : await signing.picture(), taken = given.get("photo");
  const signs = !text("refused") && Boolean(written || text("by") || text("relationship"));
  if (signs && !(text("by") && text("relationship"))) throw new Hint(t("proof.who"));
  const by = signs ? { by: text("by"), relationship: text("relationship") } : null;
  const signature = text("refused") ? { refused: text("refused") } : by;
  const found = {
    ...(where.get() && { position: where.get() }),
    ...(text("odometer") && { odometer_miles: Number(text("odometer").replace(",", ".")) }),
    ...(signature && { signature }),
    ...(items && itemsOf(given)),
  };
  const unread = () => Promise.reject(new Hint(t("proof.photo.unread")));
  const shot = taken instanceof File && taken.size ? await photo(taken).catch(unread) : null;
  const pictures = [["signature", written], ["photo", shot]];
  const so = before(part), more = Object.keys(found).length > 0; // what counts is what was said last: all of it, once more
  if (so && !more && !shot) throw new Hint(t("proof.nothing"));
  const body = { part, at: new Date(clock.now()).toISOString(), ...so, ...found };
  const path = `${api.base}/dispatches/${dispatch.id}/proof`, about = dispatch.id;
  if (more || !so) {
    own.set(part, body);
    await taps.put({ about, kind: "proof", method: "POST", path, body });
  }
  for (const [of, made] of pictures) {
    if (!(made instanceof Blob)) continue;
    const bytes = await made.arrayBuffer();
    await taps.put({
      about,
      kind: "picture",
      method: "PUT",
      path: `${path}/${part}/blob?of=${of}`,
      bytes,
      media: made.type,
    });
  }
}
