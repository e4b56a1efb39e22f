/**
 * Offering a request to a chosen vendor, with what each would cost; and taking an offer back, which is no undo.
 * @module
 */

import { fill, h } from "../../core/dom.js";
import { done, fillWith, version } from "./shared.js";
import { choice, dialog, field, showTrouble } from "../dialog.js";
import { money } from "../state.js";
import { toast } from "../toast.js";

/** @typedef {import("../../core/app.js").Context} Context */
/** @typedef {import("../../core/store.js").Row} Row */

/** @param {Row} row @param {Context} context */
export function offer(row, context) {
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

/**
 * @param {any} answer of a requote
 * @param {Row} row
 * @param {(iso: string) => string} at
 */
export function quotes(answer, row, at) {
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
export async function withdraw(id, vendor, context) {
  await done(
    context.api.post(`/requests/${id}/withdraw`),
    `The offer of ${id} is withdrawn; ${vendor} is told, and a vendor is sought anew`,
  );
}

/** @param {Row} row @param {Context} context */
export function takeOfferBack(row, context) {
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
