/**
 * What was delivered: an item for each line of the order, with what is printed on it.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import { field } from "./field.js";

/** @param {{ hcpcs: string, quantity: number }[]} lines @param {any} [so] the report that counts: what is sent now takes its place */
export function itemFields(lines, so) {
  /** @type {any[]} */
  const known = [...(so?.items || [])];
  const said = (/** @type {string} */ hcpcs) => {
    const at = known.findIndex((each) => each.hcpcs === hcpcs);
    return at < 0 ? {} : known.splice(at, 1)[0];
  };
  const text = (/** @type {string} */ name, /** @type {Record<string, any>} */ more = {}) =>
    h("input", { name, maxLength: 64, autocomplete: "off", ...more });
  const element = h(
    "div",
    { class: "choices" },
    lines.map((each) => [each, said(each.hcpcs)]).map(([each, was]) =>
      h(
        "fieldset",
        {},
        h("legend", {}, each.hcpcs),
        h("input", { type: "hidden", name: "hcpcs", value: each.hcpcs }),
        field(t("proof.item"), text("item", { maxLength: 120, required: true, value: was.item || "" })),
        field(
          t("proof.quantity"),
          text("quantity", {
            type: "number",
            min: 1,
            max: 10_000,
            value: was.quantity || each.quantity,
            required: true,
          }),
        ),
        field(t("proof.serial"), text("serial", { value: was.serial || "" })),
        field(t("proof.lot"), text("lot", { value: was.lot || "" })),
      )
    ),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "instruction", checked: Boolean(so?.instruction_given) }),
      t("proof.instruction"),
    ),
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
