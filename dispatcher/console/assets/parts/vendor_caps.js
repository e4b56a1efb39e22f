/**
 * Caps of a vendor: the most it does for a payer in a day, a month, a year; what is used of each, and its room.
 * @module
 */

import { h } from "../core/dom.js";
import { choice, dialog, field } from "./dialog.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, dollars, section } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {{ payer: string, period: string, first_day: string, last_day: string, trips: number | null, used_trips: number, left_trips: number | null, cents: number | null, used_cents: number, left_cents: number | null }} Cap */
/** @typedef {{ caps: Cap[], etag: string }} Read */

/** @type {[string, string][]} */
const PERIODS = [["day", "day"], ["month", "month"], ["year", "year"]];
const NEAR = 0.9, CENTS = 100;

/** @param {Context} context @param {string} id @returns {Promise<Read>} */
export async function readCaps({ api, signal }, id) {
  const { data, etag } = await api.call("GET", pathOf(id), { signal });
  return { caps: data.caps, etag };
}

/** @param {string} id @param {Read} read @param {Context} context @param {() => Promise<void>} again */
export function capsOf(id, read, context, again) {
  /** @type {import("./table.js").TableOptions<Cap>} */
  const options = {
    label: "Caps",
    file: `${id}-caps`,
    rows: read.caps,
    empty: "It has no caps: nothing bounds what a payer gives it.",
    tone: (cap) => fullness(cap) >= 1 ? "bad" : fullness(cap) >= NEAR ? "warn" : "",
    columns: [
      { name: "payer", says: "Payer", value: (cap) => cap.payer },
      { name: "period", says: "Each", value: (cap) => cap.period },
      { name: "from", says: "Counted from", value: (cap) => cap.first_day },
      { name: "to", says: "To", value: (cap) => cap.last_day },
      { name: "used_trips", says: "Trips", value: (cap) => cap.used_trips, end: true },
      {
        name: "most_trips",
        says: "of at most",
        value: (cap) => cap.trips,
        show: ({ trips }) => trips ?? "–",
        end: true,
      },
      {
        name: "room_trips",
        says: "Room",
        value: (cap) => cap.left_trips,
        show: (cap) => cap.left_trips ?? "–",
        end: true,
      },
      {
        name: "used_cents",
        says: "Spent",
        value: (cap) => cap.used_cents,
        show: (cap) => dollars(cap.used_cents),
        end: true,
      },
      { name: "most_cents", says: "of at most", value: (cap) => cap.cents, show: (cap) => money(cap.cents), end: true },
      {
        name: "room_cents",
        says: "Room",
        value: (cap) => cap.left_cents,
        show: (cap) => money(cap.left_cents),
        end: true,
      },
      {
        name: "act",
        says: "Act",
        show: (cap) =>
          h(
            "span",
            { class: "acts" },
            button("Change …", () => ask(id, read, context, again, cap), {
              "aria-label": `Change the cap of ${said(cap)}`,
            }),
            button("Remove", () => remove(id, read, context, again, cap), {
              class: "quiet",
              "aria-label": `Remove the cap of ${said(cap)}`,
            }),
          ),
      },
    ],
  };
  return section(
    "Caps per payer",
    [button("Add a cap …", () => ask(id, read, context, again), { title: "c" }), csvButton(options)],
    table(options),
  );
}

/**
 * Another cap, or other figures of one.
 * @param {string} id @param {Read} read @param {Context} context @param {() => Promise<void>} again @param {Cap} [cap]
 */
export async function ask(id, read, context, again, cap) {
  const payer = h("input", {
    name: "payer",
    required: true,
    autocomplete: "off",
    value: cap?.payer ?? "",
    readOnly: Boolean(cap),
  });
  const trips = h("input", { name: "trips", type: "number", min: "0", step: "1", value: String(cap?.trips ?? "") });
  const spent = cap?.cents ?? null;
  const most = h("input", {
    name: "dollars",
    type: "number",
    min: "0",
    step: "0.01",
    value: spent === null ? "" : String(spent / CENTS),
  });
  const done = await dialog({
    title: cap ? `Cap of ${id} for ${said(cap)}` : `Another cap of ${id}`,
    body: [
      field("Payer", payer, "Its id, as requests name it: medicaid-ny"),
      cap ? null : field("Each", choice("period", PERIODS, "month")),
      field("Trips at most", trips, "Left out: as many as there are. A delivery is a trip."),
      field("Dollars at most", most, "Left out: whatever it costs."),
      h("p", { class: "soft" }, "What is booked beyond a lower one stays booked; nothing more is offered."),
    ],
    act: cap ? "Change it" : "Add it",
    run: (form) => {
      const made = capOf(form, cap?.period);
      const others = read.caps.filter((each) => !isSame(each, made));
      if (!cap && others.length < read.caps.length) {
        throw new Error(`There is a cap of ${said(made)}.\nMaybe change that.`);
      }
      return put(id, read, context, [...others.map(bare), made]);
    },
  });
  if (done) await again();
}

/** @param {string} id @param {Read} read @param {Context} context @param {() => Promise<void>} again @param {Cap} cap */
async function remove(id, read, context, again, cap) {
  try {
    const etag = await put(id, read, context, read.caps.filter((each) => !isSame(each, cap)).map(bare));
    toast(`No cap of ${said(cap)} any more.`, {
      undo: () => void put(id, { caps: read.caps, etag }, context, read.caps.map(bare)).then(again, refused),
      undoSays: "Put it back",
    });
  } catch (error) {
    refused(error);
  }
  await again();
}

/** All of them, over those that were read; its ETag. @param {string} id @param {Read} read @param {Context} context @param {any[]} caps */
async function put(id, read, { api }, caps) {
  return (await api.call("PUT", pathOf(id), { body: { caps }, ifMatch: read.etag })).etag;
}

/** @param {FormData} form @param {string} [period] */
function capOf(form, period) {
  const text = (/** @type {string} */ name) => String(form.get(name) || "").trim();
  const made = {
    payer: text("payer"),
    period: period || text("period"),
    ...(text("trips") && { trips: Number(text("trips")) }),
    ...(text("dollars") && { cents: Math.round(Number(text("dollars")) * CENTS) }),
  };
  if (!("trips" in made || "cents" in made)) throw new Error("It says no limit.\nMaybe trips, dollars, or both.");
  return made;
}

/** As it is set. @param {Cap} cap */
function bare({ payer, period, trips, cents }) {
  return { payer, period, ...(trips !== null && { trips }), ...(cents !== null && { cents }) };
}

/** @param {Cap} cap */
function fullness({ trips, used_trips, cents, used_cents }) {
  const share = (/** @type {number} */ used, /** @type {number | null} */ most) =>
    most === null ? 0 : most === 0 ? 1 : used / most;
  return Math.max(share(used_trips, trips), share(used_cents, cents));
}

/** @param {unknown} error */
function refused(error) {
  toast(error instanceof Error ? error.message : String(error), { grave: true });
}

/** @param {{ payer: string, period: string }} one @param {{ payer: string, period: string }} other */
const isSame = (one, other) => one.payer === other.payer && one.period === other.period;
/** @param {{ payer: string, period: string }} cap */
const said = ({ payer, period }) => `${payer} each ${period}`;
/** @param {number | null} cents */
const money = (cents) => cents === null ? "–" : dollars(cents);
/** @param {string} id */
const pathOf = (id) => `/vendors/${id}/caps`;
