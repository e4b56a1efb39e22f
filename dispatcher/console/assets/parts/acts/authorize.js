/**
 * Authorizations as a case manager enters them: for a request that waits for one, for a patient, renewed, revoked.
 * @module
 */

import { Problem } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { choice, dialog, field } from "../dialog.js";
import { words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

const DAY_MS = 86_400_000, USUAL_DAYS = 30;
const THERE = [412, 428];

/**
 * For a request that is on hold until it is authorized, and what else of its episode is.
 * @param {Row} row @param {Context} context
 */
export async function authorize(row, context) {
  const [{ asked = {} }, { authorizations }] = await Promise.all([
    context.api.get(`/requests/${encodeURIComponent(row.id)}`),
    context.api.get("/authorizations", { request: row.id, state: "active" }),
  ]);
  const others = context.store.rows().filter((each) =>
    each.id !== row.id && each.episode && each.episode === row.episode && wants(each)
  );
  const also = others.map((each) => h("input", { type: "checkbox", name: "requests", value: each.id }));
  return ask(context, {
    title: `Authorize ${row.id}`,
    act: "Authorize",
    services: servicesOf(asked),
    above: [
      h("p", {}, `It is for ${row.id}; for all of a patient's requests enter it under Care, Authorizations.`),
      ...authorizations.map((/** @type {any} */ each) =>
        h(
          "p",
          { class: "keyline" },
          `Its patient has ${each.id}: ${
            leftSays(each)
          }, until ${each.last_day}. Renew that one if the payer gave more.`,
        )
      ),
      ...also.map((box, at) => h("label", { class: "row" }, box, `and for ${others[at].id}, of the same episode`)),
    ],
    whose: () => ({ requests: [row.id, ...also.filter((each) => each.checked).map((each) => each.value)] }),
  });
}

/** Whether it waits for one. @param {Row} row */
export const wants = (row) => row.state === "on_hold" && row.waits.includes("authorization");

/** For whatever a patient needs. @param {Context} context */
export function authorizePatient(context) {
  const { fields, patient } = patientFields();
  return ask(context, {
    title: "A patient's authorization",
    act: "Enter it",
    above: fields,
    whose: () => ({ patient: patient() }),
  });
}

/** More of it, or longer; whose it is stays as it was. @param {string} id @param {Context} context */
export async function renew(id, context) {
  const { data: known, etag } = await context.api.call("GET", `/authorizations/${id}`);
  const { fields, patient } = patientFields();
  const named = known.requests.length > 0;
  return ask(context, {
    title: `Renew ${id}`,
    act: "Renew",
    known,
    etag,
    above: named ? [] : [h("p", {}, "Nobody's name is stored with it: say once more whose it is."), ...fields],
    whose: () => named ? { requests: known.requests } : { patient: patient() },
  });
}

/** @param {string} id @param {Context} context */
export function revoke(id, context) {
  return dialog({
    title: `Revoke ${id}`,
    act: "Revoke",
    grave: true,
    body: h(
      "p",
      { class: "consequence" },
      "Nothing more is drawn on it. What is booked stays booked; unanswered offers that would draw on it are taken back, and wait.",
    ),
    run: async () => {
      await context.api.post(`/authorizations/${id}/revoke`, {});
      toast(`${id} is revoked`);
    },
  });
}

/**
 * @typedef {object} Asked
 * @property {string} title
 * @property {string} act
 * @property {string[]} [services]
 * @property {any} [known] as it stands, to be renewed
 * @property {string} [etag] of that
 * @property {HTMLElement[]} above
 * @property {() => any} whose `requests` or `patient`
 */

/** @param {Context} context @param {Asked} asked */
function ask(context, { title, act, services = [], known = {}, etag, above, whose }) {
  const today = context.clock.now(), day = (/** @type {number} */ ms) => context.zone.date(ms);
  const input = (/** @type {string} */ name, /** @type {any} */ more) => h("input", { name, required: true, ...more });
  const line = { pattern: ".*\\S.*", title: "It cannot be empty" };
  return dialog({
    title,
    act,
    body: [
      ...above,
      field(
        "Payer's number",
        input("number", { value: known.number || "", maxLength: 64, autofocus: true, ...line }),
        "As the payer wrote it. Without one it cannot be entered: ask the payer.",
      ),
      field("Payer", input("payer", { value: known.payer || "", maxLength: 128, ...line })),
      field(
        "For",
        input("services", { value: (known.services || services).join(" "), ...line }),
        "Levels of service and HCPCS codes: wheelchair, E1390. “equipment” is any code.",
      ),
      h(
        "div",
        { class: "row" },
        field("How many", input("granted", { type: "number", min: 1, max: 100_000, value: known.granted || 1 })),
        field(
          "Counted",
          choice("counted", [["visits", "rides and deliveries"], ["units", "pieces"]], known.counted || "visits"),
        ),
      ),
      h(
        "div",
        { class: "row" },
        field("First day", input("first_day", { type: "date", value: known.first_day || day(today) })),
        field(
          "Last day",
          input("last_day", { type: "date", value: known.last_day || day(today + USUAL_DAYS * DAY_MS) }),
        ),
      ),
    ],
    run: async (form) => {
      const said = (/** @type {string} */ name) => String(form.get(name)).trim();
      const id = known.id || said("number").replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, 64);
      const body = {
        number: said("number"),
        payer: said("payer"),
        services: said("services").split(/[\s,]+/),
        granted: Number(said("granted")),
        counted: said("counted"),
        first_day: said("first_day"),
        last_day: said("last_day"),
        ...whose(),
      };
      await put(id, body, etag, context);
      toast(`Authorization ${id} is ${etag ? "renewed" : "entered"}: what it covers goes on by itself`);
    },
  });
}

/** @param {string} id @param {any} body @param {string | undefined} etag @param {Context} context */
async function put(id, body, etag, context) {
  try {
    await context.api.put(`/authorizations/${id}`, body, { ifMatch: etag });
  } catch (error) {
    if (etag || !(error instanceof Problem) || !THERE.includes(error.status)) throw error;
    throw new Error(`There is an authorization ${id} already.\nMaybe renew that one, or look at the number again.`);
  }
}

function patientFields() {
  const name = h("input", { required: true, maxLength: 120, autocomplete: "off" });
  const number = h("input", { required: true, maxLength: 64, autocomplete: "off" });
  return {
    fields: [
      field("Patient's name", name),
      field("Record number", number, "By it the patient's requests are found. Neither is stored with it."),
    ],
    patient: () => ({ name: name.value.trim(), record_number: number.value.trim() }),
  };
}

/** What is asked for, as an authorization names it. @param {any} asked @returns {string[]} */
function servicesOf(asked) {
  const codes = (asked.lines || []).map((/** @type {any} */ each) => each.hcpcs);
  return asked.level_of_service ? [asked.level_of_service] : [...new Set(codes)];
}

/** 2 of 12 rides and deliveries left @param {any} one an authorization */
export const leftSays = ({ left, granted, counted }) =>
  `${left} of ${granted} ${counted === "visits" ? "rides and deliveries" : words(counted)} left`;
