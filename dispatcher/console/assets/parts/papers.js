/**
 * A vendor's papers: verified by whoever has seen them, and taken back.
 * @module
 */

import { h } from "../core/dom.js";
import { whoOf } from "../core/story.js";
import { dialog } from "./dialog.js";
import { fileOf, fileSays } from "./paper_file.js";
import { words } from "./state.js";
import { toast } from "./toast.js";
import { csvButton, table } from "./table.js";
import { button, section } from "./view.js";

/** @typedef {import("../core/app.js").Context} Context */

/** The papers of a vendor, and who has seen them. @param {any} vendor @param {Context} context @param {() => Promise<void>} again */
export function papersOf(vendor, context, again) {
  const today = context.zone.date(context.clock.now());
  /** @type {import("./table.js").TableOptions<any>} */
  const options = {
    label: "Papers",
    file: `${vendor.id}-papers`,
    rows: vendor.credentials || [],
    empty: "It has claimed no papers. Rides that require one are not offered to it.",
    tone: (row) => row.expires_on < today ? "bad" : row.verified ? "" : "warn",
    columns: [
      { name: "kind", says: "Paper", value: (row) => words(row.kind) },
      {
        name: "expires_on",
        says: "Until",
        value: (row) => row.expires_on + (row.expires_on < today ? " (ended)" : ""),
      },
      {
        name: "act",
        says: "Act",
        show: (row) =>
          row.verified
            ? button("Take back", () => verified(vendor, [row], false, context, again), {
              class: "quiet",
              "aria-label": `Take back that ${words(row.kind)} was verified`,
            })
            : button("Verify", () => verified(vendor, [row], true, context, again), {
              "aria-label": `Verify ${words(row.kind)}`,
            }),
      },
      {
        name: "document",
        says: "Document",
        value: (row) => [row.document, row.file && fileSays(row.file)].filter(Boolean).join("; "),
        show: (row) => fileOf(vendor, row, context, { again, verify: () => send(vendor, [row], true, context) }),
      },
      {
        name: "verified",
        says: "Verified",
        value: (row) => row.verified ? `${whoOf(row.verified)}, ${row.verified.at.slice(0, 10)}` : "not yet",
      },
    ],
  };
  const open = options.rows.filter((row) => !row.verified && row.expires_on >= today);
  return section(
    "Papers",
    [
      button(`Verify ${open.length} …`, () => verifyPapers(vendor, context, again), {
        hidden: !open.length,
        title: "v",
      }),
      csvButton(options),
    ],
    table(options),
  );
}

/** All papers that are still to be verified, to be chosen from. @param {any} vendor @param {Context} context @param {() => Promise<void>} again */
export async function verifyPapers(vendor, context, again) {
  const today = context.zone.date(context.clock.now());
  const open = (vendor.credentials || []).filter((/** @type {any} */ each) =>
    !each.verified && each.expires_on >= today
  );
  if (!open.length) return toast("No paper waits to be verified.");
  const done = await dialog({
    title: `Papers of ${vendor.id} that you have seen`,
    body: h(
      "fieldset",
      { class: "papers" },
      h("legend", { class: "unseen" }, "Papers"),
      open.map((/** @type {any} */ each, /** @type {number} */ at) =>
        h(
          "label",
          {},
          h("input", { type: "checkbox", name: "paper", value: String(at), checked: true }),
          `${words(each.kind)}, until ${each.expires_on}${each.file ? `, ${fileSays(each.file)}` : ", no document"}`,
        )
      ),
    ),
    act: "Verify them",
    run: (form) => {
      const chosen = form.getAll("paper").map((at) => open[Number(at)]);
      if (!chosen.length) throw new Error("No paper is chosen.\nMaybe tick those that you have seen.");
      return send(vendor, chosen, true, context);
    },
  });
  if (done) await again();
}

/** @param {any} vendor @param {any[]} papers @param {boolean} holds @param {Context} context @param {() => Promise<void>} again */
async function verified(vendor, papers, holds, context, again) {
  try {
    await send(vendor, papers, holds, context);
    toast(holds ? "Verified." : "No longer verified.", {
      undo: () => void verified(vendor, papers, !holds, context, again),
      undoSays: holds ? "Take back" : "Verify again",
    });
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), { grave: true });
  }
  await again();
}

/** @param {any} vendor @param {any[]} papers @param {boolean} holds @param {Context} context */
function send(vendor, papers, holds, context) {
  const credentials = papers.map(({ kind, expires_on, file }) => ({
    kind,
    expires_on,
    ...(holds && file && { sha256: file.sha256 }), // another that came since was seen by nobody
  }));
  return context.api.post(`/vendors/${vendor.id}/verify`, { credentials, verified: holds });
}
