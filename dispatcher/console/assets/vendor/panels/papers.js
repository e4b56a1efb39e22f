/**
 * Papers: until when each holds, whether it was verified, and a later one beside it.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { redraw, said, trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { sheet } from "./sheet.js";
import { DAY_MS } from "../core/times.js";
import { onboardingOf } from "./onboarding.js";
import { chooser, chosenOf, fileOf, sendFile } from "./paper_file.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const KINDS = [
  "auto_insurance",
  "background_check",
  "cpr_first_aid",
  "drug_screen",
  "vehicle_inspection",
  "dme_accreditation",
  "ambulance_licence",
];
const SOON_DAYS = 30, MOST_CHARS = 200;

export const title = () => t("papers.title");

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, session, signal } = context, back = h("a", { class: "back", href: "/vendor/more" }, t("back"));
  const read = async () => {
    try {
      const { data, etag } = await api.call("GET", `/vendors/${session.vendor_id}`, { signal });
      redraw(
        root,
        back,
        h("h1", {}, title()),
        onboardingOf(data),
        list(data, context, read),
        h("button", { class: "primary", onclick: () => void add(data, etag, context, read) }, t("papers.add")),
      );
    } catch (error) {
      if (!signal.aborted) redraw(root, back, h("h1", {}, title()), trouble(said(error)));
    }
  };
  await read();
  addEventListener("back", () => void read(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden || void read(), { signal }); // ops may have verified one
}

/** @param {any} vendor @param {Context} context @param {() => Promise<void>} read */
function list({ credentials = [] }, context, read) {
  const { times, clock } = context;
  const today = times.date(clock.now());
  const sorted = [...credentials].sort((one, other) => one.expires_on < other.expires_on ? -1 : 1);
  if (!sorted.length) return h("p", { class: "empty" }, t("papers.none"));
  return h(
    "ul",
    { class: "cards" },
    sorted.map((each) => {
      const left = Math.round((Date.parse(each.expires_on) - Date.parse(today)) / DAY_MS);
      const holds = left < 0 ? "papers.over" : left <= SOON_DAYS ? "papers.soon" : "papers.holds";
      return h(
        "li",
        { class: "card" },
        h("h2", {}, t(`paper.${each.kind}`)),
        h(
          "p",
          { class: left < 0 ? "trouble" : left <= SOON_DAYS ? "warn" : "" },
          t(holds, { day: times.dated(each.expires_on), n: left }),
        ),
        each.document ? h("p", { class: "soft" }, each.document) : null,
        h("p", { class: "soft" }, t(each.verified ? "papers.verified" : "papers.claimed")),
        fileOf(each, context, read),
      );
    }),
  );
}

/** @param {any} vendor @param {string} etag @param {Context} context @param {() => Promise<void>} read */
async function add(vendor, etag, context, read) {
  const { api, session, times, clock } = context;
  let claimed = false;
  const kind = h("select", { name: "kind" }, KINDS.map((each) => h("option", { value: each }, t(`paper.${each}`))));
  const until = h("input", { type: "date", name: "until", required: true, min: times.date(clock.now()) });
  const which = h("input", { name: "document", maxLength: MOST_CHARS, autocomplete: "off" });
  const file = chooser();
  const done = await sheet({
    title: t("papers.add"),
    body: [
      field(t("papers.kind"), kind),
      field(t("papers.until"), until),
      field(t("papers.document"), which),
      field(t("papers.file"), file),
    ],
    act: t("send"),
    again: read,
    run: async (form) => {
      const document = String(form.get("document")).trim(), chosen = await chosenOf(form);
      const paper = { kind: form.get("kind"), expires_on: form.get("until"), ...(document && { document }) };
      if (!claimed) {
        await api.put(
          `/vendors/${session.vendor_id}`,
          { ...vendor, credentials: [...(vendor.credentials || []), paper] },
          { ifMatch: etag },
        );
      }
      claimed = true; // what went wrong with the file is tried again by itself
      if (chosen) await sendFile(paper, chosen, context);
    },
  });
  if (done || claimed) await read();
}
