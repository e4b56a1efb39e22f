/**
 * What a person may do about a request: each act says first what it does, to whom, and what cannot be undone.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { choice, dialog, field, showTrouble } from "./dialog.js";
import { money, words } from "./state.js";
import { toast } from "./toast.js";

/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {import("../core/store.js").Row} Row */
/** @typedef {{ version: number, id: string }} Subject */

const READERS = ["platform", "coordinator", "case_manager", "ops"];
export const CHOOSERS = ["ops", "coordinator"];
export const CANCEL_CODES = ["NO_CLIENT", "CANCEL_AT_DOOR", "NOT_READY", "PROVIDER_ADMIN_CANCEL"];
const AMENDERS = ["platform", "coordinator"];

/**
 * @typedef {object} Act
 * @property {string} key
 * @property {string} says
 * @property {(row: Row, context: Context) => boolean} can whether it is to be offered for this row
 * @property {(row: Row, context: Context) => Promise<any>} run
 */

/** @param {Row} row */
const goesOn = (row) => row.ended === 0;
/** @param {Row} row */
const asks = (row) => row.ended === 0 && row.state !== "in_progress";
/** @param {Row} row */
const waits = (row) => row.state === "received" || row.state === "matching";
/** @param {Row} row */
const version = (row) => `"${row.version}"`;

/** @type {Act[]} */
export const ACTS = [
  {
    key: "o",
    says: "Offer to…",
    can: (row, context) => (waits(row) || row.state === "offered") && context.may(...CHOOSERS),
    run: offer,
  },
  { key: "w", says: "Widen the window…", can: (row, context) => goesOn(row) && context.may(...AMENDERS), run: widen },
  {
    key: "w",
    says: "Ask for a wider window…",
    can: (row, context) => asks(row) && context.may("ops") && !context.may(...AMENDERS),
    run: askForWindow,
  },
  {
    key: "q",
    says: "Ask the platform for a wider window…",
    can: (row, context) => asks(row) && context.may("coordinator"),
    run: askForWindow,
  },
  { key: "u", says: "One more unit…", can: (row, context) => goesOn(row) && context.may("ops"), run: oneMoreUnit },
  { key: "p", says: "Pause the vendor…", can: (row, context) => !!row.vendor && context.may("ops"), run: pauseVendor },
  { key: "h", says: "Hold…", can: waits, run: hold },
  {
    key: "b",
    says: "Withdraw the offer…",
    can: (row, context) => row.state === "offered" && context.may(...CHOOSERS),
    run: takeOfferBack,
  },
  { key: "h", says: "Resume", can: (row) => row.state === "on_hold", run: resume },
  { key: "x", says: "Cancel…", can: goesOn, run: cancel },
];

/**
 * Those that are to be offered, for this row and this session.
 * @param {Row} row
 * @param {Context} context
 */
export function actsOn(row, context) {
  return context.may(...READERS) ? ACTS.filter((each) => each.can(row, context)) : [];
}

/** @param {Row} row @param {Context} context */
function offer(row, context) {
  const at = (/** @type {string} */ iso) => context.zone.moment(Date.parse(iso), context.clock.now());
  const told = h("p", { class: "soft" }, "Asking every vendor…");
  const place = h("div", {}, told);
  const asked = h("datalist", { id: "asked-before" });
  const other = h("input", {
    name: "other",
    list: "asked-before",
    placeholder: "vendor id",
    pattern: "[A-Za-z0-9_\\-]{1,64}",
    autocomplete: "off",
  });
  const again = h("input", { type: "checkbox", name: "again" });
  const moves = row.state === "offered" ? `The offer to ${row.vendor} is taken back: it is told so.` : "";
  context.api.post(`/requests/${row.id}/amend`, { requote: true }, { signal: context.signal }).then(
    (answer) => {
      fill(place, quotes(answer, row, at));
      const waits = document.activeElement === other && !other.value; // who has not typed yet chooses here
      if (waits) /** @type {HTMLElement | null} */ (place.querySelector("input"))?.focus();
    },
    (error) => showTrouble(fillWith(place, h("p", { class: "trouble" })), error),
  );
  context.api.get(`/requests/${row.id}`, {}, context.signal).then((view) => {
    const ids = new Set((view.attempts || []).map((/** @type {any} */ each) => each.vendor_id));
    fill(asked, [...ids].map((each) => h("option", { value: each })));
  }, () => {}); // it can be typed
  return dialog({
    title: `Offer ${row.id}`,
    wide: true,
    act: "Offer",
    body: [
      place,
      asked,
      field(
        "Another vendor",
        other,
        "By the matcher's rules all the same: what it breaks is told, and nothing is offered.",
      ),
      h("label", { class: "row" }, again, "although it declined before, or did not answer"),
      moves && h("p", { class: "consequence" }, moves),
    ],
    run: async (form) => {
      const vendor = String(form.get("other") || form.get("vendor") || "").trim();
      if (!vendor) throw new Error("no vendor is chosen\nMaybe pick one, or type its id.");
      const start = form.get("other") ? undefined : String(form.get(`start ${vendor}`) || "") || undefined;
      const body = { vendor_id: vendor, start_at: start, again: form.get("again") === "on" || undefined };
      const after = await context.api.post(`/requests/${row.id}/offer`, body, { ifMatch: version(row) });
      toast(`${row.id} is offered to ${vendor}`, {
        undoSays: "Withdraw",
        undo: () => withdraw(row.id, vendor, context),
      });
      return after;
    },
  });
}

/** @param {HTMLElement} place @param {HTMLElement} made */
function fillWith(place, made) {
  place.replaceChildren(made);
  return made;
}

/**
 * @param {any} answer of a requote
 * @param {Row} row
 * @param {(iso: string) => string} at
 */
function quotes(answer, row, at) {
  const found = answer.quotes?.quotes || [];
  if (!found.length) {
    return h(
      "p",
      { class: "soft" },
      row.asked
        ? "No vendor that was not asked before can take it as it stands. One that was is asked again below."
        : "No vendor can take it as it stands. Its panel says what would free it.",
    );
  }
  const best = found[0].cost_cents;
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Vendor", "Start", "Price", "Costs more than the best by"].map((each, at) =>
          h("th", { class: at > 1 ? "number" : "" }, each)
        ),
      ),
    ),
    h(
      "tbody",
      {},
      found.map((/** @type {any} */ quote, /** @type {number} */ number) => {
        const starts = [quote, ...(quote.other_starts || [])];
        const start = choice(
          `start ${quote.vendor_id}`,
          starts.map((each) => [each.start_at, `${at(each.start_at)} · ${money(each.price_cents)}`]),
        );
        start.setAttribute("aria-label", `Start of ${quote.vendor_id}`);
        const radio = h("input", { type: "radio", name: "vendor", value: quote.vendor_id, checked: number === 0 });
        if (number === 0) radio.setAttribute("autofocus", "");
        return h(
          "tr",
          {},
          h(
            "td",
            {},
            h(
              "label",
              { class: "row" },
              radio,
              quote.vendor_id,
              h("span", { class: "soft" }, quote.vendor_name),
              quote.vendor_id === row.vendor && h("span", { class: "soft" }, "(asked now)"),
            ),
          ),
          h("td", {}, start),
          h("td", { class: "number" }, money(quote.price_cents)),
          h("td", { class: "number" }, number ? money(quote.cost_cents - best) : "—"),
        );
      }),
    ),
  );
}

/**
 * Take an offer back that was made by hand. Its vendor was told, and is told again: that is no undo.
 * @param {string} id
 * @param {string} vendor
 * @param {Context} context
 */
async function withdraw(id, vendor, context) {
  await done(
    context.api.post(`/requests/${id}/withdraw`),
    `The offer of ${id} is withdrawn; ${vendor} is told, and a vendor is sought anew`,
  );
}

/** @param {Row} row @param {Context} context */
function takeOfferBack(row, context) {
  return dialog({
    title: `Withdraw the offer of ${row.id}`,
    act: "Withdraw",
    grave: true,
    body: h(
      "p",
      { class: "consequence" },
      `${row.vendor} has read it, and is told that it is taken back. A vendor is sought anew.`,
    ),
    run: async () => {
      await context.api.post(`/requests/${row.id}/withdraw`, undefined, { ifMatch: version(row) });
      toast(`The offer of ${row.id} is withdrawn; ${row.vendor} is told`);
    },
  });
}

/** How much wider, and the window that it makes. @param {Row} row */
function wider(row) {
  const before = h("input", { name: "before", type: "number", min: 0, max: 720, step: 5, value: 0 });
  const after = h("input", { name: "after", type: "number", min: 0, max: 720, step: 5, value: 30, autofocus: true });
  const window = () => ({
    earliest: new Date(row.earliest - Number(before.value) * 60_000).toISOString(),
    latest: new Date(row.latest + Number(after.value) * 60_000).toISOString(),
  });
  return { fields: [field("Minutes earlier", before), field("Minutes later", after)], window };
}

/** @param {Row} row @param {Context} context */
const windowNow = (row, context) =>
  `Now ${context.zone.moment(row.earliest, context.clock.now())} to ${context.zone.time(row.latest)}.`;

/**
 * The platform is asked: only it knows what its patient can do.
 * @param {Row} row @param {Context} context
 */
function askForWindow(row, context) {
  const { fields, window } = wider(row);
  return dialog({
    title: `Ask for a wider window of ${row.id}`,
    act: "Ask the platform",
    body: [
      h("p", {}, windowNow(row, context)),
      h("div", { class: "row" }, ...fields),
      h(
        "p",
        { class: "consequence" },
        "The request stays as it is. The platform has a task, and hears an event; the task ends once the window is as wide, or the platform says why not.",
      ),
    ],
    run: async () => {
      const answer = await context.api.post(`/requests/${row.id}/ask-window`, { window: window() }, {
        ifMatch: version(row),
      });
      toast(`The platform is asked for a wider window of ${row.id}`);
      return answer;
    },
  });
}

/** @param {Row} row @param {Context} context */
function widen(row, context) {
  const { fields, window } = wider(row);
  const told = h("div", { class: "soft", role: "status" }, "Preview it before it is asked.");
  const body = () => (row.kind === "trip" ? { pickup_window: window() } : { window: window() });
  const preview = h("button", {
    type: "button",
    onclick: async () => {
      fill(told, "Asking…");
      try {
        const answer = await context.api.post(`/requests/${row.id}/amend`, { ...body(), requote: true });
        fill(told, previewed(answer, context));
      } catch (error) {
        showTrouble(fillWith(told, h("p", { class: "trouble" })), error);
      }
    },
  }, "Preview");
  return dialog({
    title: `Widen the window of ${row.id}`,
    act: "Widen",
    body: [
      h("p", {}, windowNow(row, context)),
      h("div", { class: "row" }, ...fields, preview),
      told,
      h(
        "p",
        { class: "consequence" },
        row.state === "accepted" || row.state === "in_progress"
          ? `${row.vendor} has the work: it is asked to agree. The platform is told.`
          : "The platform is told that its request was amended, by whom. Ask it first where the patient has to know.",
      ),
    ],
    run: async () => {
      const answer = await context.api.post(`/requests/${row.id}/amend`, body(), { ifMatch: version(row) });
      toast(`The window of ${row.id} is wider`, { undoSays: "Amend back", undo: () => narrow(row, context) });
      return answer;
    },
  });
}

/** @param {any} answer @param {Context} context */
function previewed(answer, context) {
  const [best] = answer.quotes?.quotes || [];
  if (!best) return "Still no vendor could take it.";
  const start = context.zone.moment(Date.parse(best.start_at), context.clock.now());
  return `${answer.quotes.quotes.length} vendors could take it; the best is ${best.vendor_id} at ${start} for ${
    money(best.price_cents)
  }.`;
}

/** @param {Row} row @param {Context} context */
async function narrow(row, context) {
  const window = { earliest: new Date(row.earliest).toISOString(), latest: new Date(row.latest).toISOString() };
  try {
    await context.api.post(`/requests/${row.id}/amend`, row.kind === "trip" ? { pickup_window: window } : { window });
    toast(`The window of ${row.id} is as it was`);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/**
 * One more unit of a vendor's pool over a time of one day.
 * @param {Row} row
 * @param {Context} context
 * @param {{ vendor?: string, start?: number, minutes?: number }} [hint]
 */
export function oneMoreUnit(row, context, hint = {}) {
  const from = hint.start || row.start || row.earliest;
  const vendor = h("input", { name: "vendor", required: true, value: hint.vendor || row.vendor, autocomplete: "off" });
  const minutes = h("input", {
    name: "minutes",
    type: "number",
    min: 5,
    max: 1440,
    step: 5,
    value: hint.minutes || 60,
  });
  const pool = h("input", { name: "pool", placeholder: "the first that serves it", autocomplete: "off" });
  return dialog({
    title: "One more unit",
    act: "Post one more unit",
    body: [
      h(
        "p",
        {},
        `From ${context.zone.moment(from, context.clock.now())} (${
          context.zone.date(from)
        }) the vendor has one unit more than it posted. Ask it first: it is its capacity.`,
      ),
      field("Vendor", vendor),
      h("div", { class: "row" }, field("For minutes", minutes), field("Pool", pool)),
    ],
    run: async () => {
      const path = `/vendors/${vendor.value.trim()}/capacity/${context.zone.date(from)}`;
      const { data, etag } = await context.api.call("GET", path);
      const raised = withUnit(data, row.class, pool.value.trim(), dayMinute(from, context), Number(minutes.value));
      await context.api.put(path, raised, { ifMatch: etag });
      toast(`${vendor.value.trim()} has one more unit`, {
        undoSays: "Take it back",
        undo: () => takeBack(path, data, context),
      });
      return true;
    },
  });
}

/** The local minute of the day. @param {number} ms @param {Context} context */
function dayMinute(ms, context) {
  const [hours, minutes] = context.zone.time(ms).split(":").map(Number);
  return hours * 60 + minutes;
}

/**
 * A posting with one unit more in the buckets that a time touches.
 * @param {any} posting
 * @param {string} service
 * @param {string} poolId
 * @param {number} from minute of the day
 * @param {number} minutes
 */
export function withUnit(posting, service, poolId, from, minutes) {
  const pools = posting.pools.map((/** @type {any} */ each) => ({ ...each, units: [...each.units] }));
  const pool = pools.find((/** @type {any} */ each) => poolId ? each.id === poolId : each.serves.includes(service));
  if (!pool) {
    const known = pools.map((/** @type {any} */ each) => `${each.id} (${each.serves.join(", ")})`).join("; ");
    throw new Error(`no pool ${poolId || `serves ${words(service)}`}\nMaybe one of: ${known}.`);
  }
  const long = 1440 / pool.units.length;
  const last = Math.min(pool.units.length - 1, Math.floor((from + Math.max(1, minutes) - 1) / long));
  for (let at = Math.floor(from / long); at <= last; at++) pool.units[at] += 1;
  return { ...posting, pools };
}

/** @param {string} path @param {any} before @param {Context} context */
async function takeBack(path, before, context) {
  try {
    const { etag } = await context.api.call("GET", path);
    await context.api.put(path, before, { ifMatch: etag });
    toast("The capacity is as it was posted");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

/** @param {Row} row @param {Context} context */
function pauseVendor(row, context) {
  const reason = h("input", { name: "reason", required: true, maxLength: 200, autofocus: true });
  return dialog({
    title: `Pause ${row.vendor}`,
    act: `Pause ${row.vendor}`,
    grave: true,
    body: [
      field("Reason", reason, "The vendor reads it, with who paused it and when."),
      h("p", { class: "consequence" }, "It gets no new offers. What it has, it keeps."),
    ],
    run: async () => {
      await context.api.post(`/vendors/${row.vendor}/pause`, { reason: reason.value });
      toast(`${row.vendor} is paused`, {
        undoSays: "Resume",
        undo: () => done(context.api.post(`/vendors/${row.vendor}/resume`), `${row.vendor} gets work again`),
      });
    },
  });
}

/** @param {Promise<any>} asked @param {string} says */
async function done(asked, says) {
  try {
    await asked;
    toast(says);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
}

const holdReason = () =>
  choice(
    "reason",
    [["authorization", "It is not authorized"], ["predecessor", "Something has to come first"]],
    "predecessor",
  );

/** @param {Row} row @param {Context} context */
function hold(row, context) {
  const reason = holdReason();
  return dialog({
    title: `Hold ${row.id}`,
    act: "Hold",
    body: [
      field("Because", reason, "Only a case manager lifts an authorization."),
      h(
        "p",
        { class: "consequence" },
        "No vendor is sought until it is resumed. Its deadline runs on.",
      ),
    ],
    run: async () => {
      await context.api.post(`/requests/${row.id}/hold`, { reason: reason.value }, { ifMatch: version(row) });
      toast(`${row.id} is on hold`, {
        undoSays: "Resume",
        undo: () =>
          done(
            context.api.post(`/requests/${row.id}/resume`, { requirement: reason.value }),
            `A vendor is sought for ${row.id}`,
          ),
      });
    },
  });
}

/** @param {Row} row @param {Context} context */
function resume(row, context) {
  return dialog({
    title: `Resume ${row.id}`,
    act: "Resume",
    body: h("p", {}, `It waits for ${row.waits.map(words).join(", ") || "nothing"}. From now on a vendor is sought.`),
    run: async () => {
      await context.api.post(`/requests/${row.id}/resume`, {}, { ifMatch: version(row) });
      toast(`A vendor is sought for ${row.id}`);
    },
  });
}

/** @param {Row} row @param {Context} context */
function cancel(row, context) {
  const code = choice("code", [
    ["", "no code"],
    ...CANCEL_CODES.map((each) => /** @type {[string, string]} */ ([each, words(each.toLowerCase())])),
  ]);
  return dialog({
    title: `Cancel ${row.id}`,
    act: "Cancel the request",
    grave: true,
    body: [
      field("Code", code),
      h(
        "p",
        { class: "consequence" },
        row.vendor ? `${row.vendor} is relieved of it and told so. ` : "",
        "This cannot be undone: what is wanted after all is submitted again.",
      ),
    ],
    run: async () => {
      await context.api.post(`/requests/${row.id}/cancel`, code.value ? { code: code.value } : {}, {
        ifMatch: version(row),
      });
      toast(`${row.id} is cancelled`);
    },
  });
}

/** @param {Row[]} rows that were held @param {string} requirement @param {Context} context */
async function resumeAll(rows, requirement, context) {
  const asked = rows.map((row) => context.api.post(`/requests/${row.id}/resume`, { requirement }));
  const refused = (await Promise.allSettled(asked)).filter((each) => each.status === "rejected").length;
  toast(`${rows.length - refused} of ${rows.length} are resumed`, { grave: refused > 0 });
}

/**
 * @typedef {object} Many
 * @property {string} verb
 * @property {(row: Row) => boolean} fits
 * @property {string} others why the rest of the chosen are left alone
 */

/** @type {Record<"cancel" | "hold" | "resume" | "withdraw", Many>} */
const MANY = {
  cancel: { verb: "Cancel", fits: goesOn, others: "they have ended" },
  hold: { verb: "Hold", fits: waits, others: "a vendor is asked or has them, they are on hold already, or have ended" },
  resume: { verb: "Resume", fits: (row) => row.state === "on_hold", others: "they are not on hold" },
  withdraw: {
    verb: "Withdraw the offers of",
    fits: (row) => row.state === "offered",
    others: "no offer of theirs waits for its answer",
  },
};

/**
 * Acts on many at once: previewed, one by one under the version that was seen, told as it goes.
 * @param {Row[]} rows
 * @param {"cancel" | "hold" | "resume" | "withdraw"} what
 * @param {Context} context
 */
export function bulk(rows, what, context) {
  const { verb, fits, others } = MANY[what];
  const fit = rows.filter(fits);
  const left = rows.length - fit.length;
  const told = new Set(fit.map((row) => row.vendor).filter(Boolean));
  const reason = holdReason();
  const progress = h("progress", { max: fit.length || 1, value: 0, "aria-label": "Progress" });
  const result = h("div", { role: "status" });
  return dialog({
    title: `${verb} ${fit.length} ${fit.length === 1 ? "request" : "requests"}`,
    act: fit.length ? `${verb} ${fit.length}` : undefined,
    grave: what === "cancel" || what === "withdraw",
    wide: true,
    body: [
      left > 0 &&
      h("p", {}, `${left} of the ${rows.length} chosen are left as they are: ${others}.`),
      told.size > 0 && what !== "resume" &&
      h(
        "p",
        { class: "consequence" },
        `${told.size === 1 ? "1 vendor is" : `${told.size} vendors are`} relieved and told: ${
          [...told].slice(0, 8).join(", ")
        }${told.size > 8 ? " …" : ""}.`,
      ),
      what === "cancel" && h("p", { class: "consequence" }, "This cannot be undone."),
      what === "hold" && fit.length > 0 && field("Because", reason, "Only a case manager lifts an authorization."),
      h("p", { class: "soft" }, `${fit.slice(0, 12).map((row) => row.id).join(", ")}${fit.length > 12 ? " …" : ""}`),
      fit.length > 0 && progress,
      result,
    ],
    run: async (_, signal) => {
      const body = what === "hold" ? { reason: reason.value } : what === "withdraw" ? undefined : {};
      /** @type {[string, string][]} */
      const refused = [];
      /** @type {Row[]} */
      const changed = [];
      const started = crypto.randomUUID();
      for (const row of fit) {
        if (signal.aborted) break;
        try {
          await context.api.post(`/requests/${row.id}/${what}`, body, {
            ifMatch: version(row),
            key: `${started}-${row.id}`.slice(0, 128),
          });
          changed.push(row);
        } catch (error) {
          refused.push([row.id, error instanceof Error ? error.message.split("\n")[0] : String(error)]);
        }
        progress.value += 1;
      }
      const did = changed.length, stopped = signal.aborted ? "; stopped, the others are as they were" : "";
      toast(`${verb}: ${did} of ${fit.length} done${stopped}`, {
        undoSays: `Resume ${did}`,
        undo: what === "hold" && did ? () => void resumeAll(changed, reason.value, context) : undefined,
      });
      if (!refused.length) return true;
      fill(
        result,
        h("p", {}, `${did} done, ${refused.length} refused:`),
        h("ul", {}, refused.map(([id, says]) => h("li", {}, `${id}: ${says}`))),
      );
      fit.splice(0);
      throw new Error(
        `${refused.length} were refused; the others are done\nMaybe look at each: it changed since you chose it.`,
      );
    },
  });
}
