/**
 * A vendor's phone: a one-time link to its page, and the end of every session of it.
 * @module
 */

import { h } from "../../core/dom.js";
import { dialog, field } from "../dialog.js";
import { toast } from "../toast.js";

/**
 * Make a link and show it once, or end all sessions.
 * @param {import("../../core/app.js").Context} context
 * @param {string} id
 */
export async function phoneOf(context, id) {
  const end = h("input", { type: "checkbox", name: "end" });
  const made = await dialog({
    title: `A phone of ${id}`,
    body: [
      h(
        "p",
        {},
        "A link to the vendor's page, good once within an hour; its session holds two weeks. It names no patient.",
      ),
      field(
        "Whose phone",
        h("input", { name: "subject", maxLength: 64, autofocus: true }),
        "for the audit, and at messages",
      ),
      h(
        "label",
        { class: "row" },
        end,
        "A phone was lost, and nobody knows whose: end every session of the vendor's page first",
      ),
    ],
    act: "Make a link",
    run: async (form) => {
      if (form.get("end")) await context.api.call("DELETE", `/vendors/${id}/sessions`);
      return context.api.post(`/vendors/${id}/sign-in-links`, { subject: String(form.get("subject")).trim() });
    },
  });
  if (made) await shown(made, id);
}

/** @param {{ url: string, code: string }} made @param {string} id */
function shown(made, id) {
  const copy = () => navigator.clipboard?.writeText(made.url).then(() => toast("The link is copied"));
  return dialog({
    title: `A link for ${id}`,
    body: [
      field("Send this", h("input", { readOnly: true, value: made.url, autofocus: true })),
      field("Or read this out", h("input", { readOnly: true, value: made.code, class: "mono" })),
      navigator.clipboard ? h("button", { type: "button", onclick: copy }, "Copy the link") : null,
    ],
  });
}
