/**
 * What was delivered: an item for each line of the order, with what is printed on it.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { field } from "../core/pieces.js";

/** @param {{ hcpcs: string, quantity: number }[]} lines */
export function itemFields(lines) {
  const text = (/** @type {string} */ name, /** @type {Record<string, any>} */ more = {}) =>
    h("input", { name, maxLength: 64, autocomplete: "off", ...more });
  const element = h(
    "div",
    { class: "choices" },
    lines.map((each) =>
      h(
        "fieldset",
        {},
        h("legend", {}, each.hcpcs),
        h("input", { type: "hidden", name: "hcpcs", value: each.hcpcs }),
        field(t("proof.item"), text("item", { maxLength: 120, required: true })),
        field(
          t("proof.quantity"),
          text("quantity", { type: "number", min: 1, max: 10_000, value: each.quantity, required: true }),
        ),
        field(t("proof.serial"), text("serial")),
        field(t("proof.lot"), text("lot")),
      )
    ),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "instruction" }), t("proof.instruction")),
  );
  return { element };
}

/** @param {FormData} given */
export function itemsOf(given) {
  const [item, hcpcs, quantity, serial, lot] = ["item", "hcpcs", "quantity", "serial", "lot"].map((each) =>
    given.getAll(each).map(String)
  );
  const items = (item || []).map((each, at) => ({
    item: each.trim(),
    hcpcs: hcpcs?.[at] || "",
    quantity: Number(quantity?.[at] || 1),
    ...(serial?.[at] && { serial: serial[at] }),
    ...(lot?.[at] && { lot: lot[at] }),
  }));
  return { items, instruction_given: given.get("instruction") === "on" };
}
