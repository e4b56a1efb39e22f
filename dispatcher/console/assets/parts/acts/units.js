/**
 * One more unit of a vendor's pool over a time of one day.
 * @module
 */

import { h } from "../../core/dom.js";
import { dialog, field } from "../dialog.js";
import { words } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

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
