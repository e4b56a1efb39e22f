/**
 * Who is signed in to a vendor's page, by person; one person's sessions ended, the others go on.
 * @module
 */

import { h } from "../core/dom.js";
import { dialog } from "./dialog.js";
import { csvButton, table } from "./table.js";
import { toast } from "./toast.js";
import { button, section } from "./view.js";

/** @typedef {{ subject: string, opened_at: string, expires_at: string }} Session */
/** @typedef {{ subject: string, phones: number, since: string, until: string }} Person */

/**
 * @param {string} id the vendor
 * @param {{ sessions: Session[] }} found
 * @param {import("../core/app.js").Context} context
 * @param {() => Promise<void>} again
 */
export function phonesOf(id, { sessions }, context, again) {
  const { zone, clock } = context;
  const moment = (/** @type {string} */ at) => zone.moment(Date.parse(at), clock.now());
  /** @type {import("./table.js").TableOptions<Person>} */
  const options = {
    label: "Phones",
    file: `${id}-phones`,
    rows: people(sessions),
    empty: "Nobody is signed in to its page.",
    columns: [
      { name: "subject", says: "Whose", value: (row) => row.subject },
      { name: "phones", says: "Sessions", value: (row) => row.phones, end: true },
      { name: "since", says: "Last signed in", value: (row) => row.since, show: (row) => moment(row.since) },
      { name: "until", says: "Until", value: (row) => row.until, show: (row) => moment(row.until) },
      {
        name: "act",
        says: "Act",
        show: (row) => button(`End ${row.subject}'s …`, () => end(id, row, context, again), { class: "quiet" }),
      },
    ],
  };
  return section("Phones", csvButton(options), table(options));
}

/** Sessions by person, the one who signed in last first. @param {Session[]} sessions @returns {Person[]} */
export function people(sessions) {
  /** @type {Map<string, Person>} */
  const found = new Map();
  for (const { subject, opened_at, expires_at } of sessions) {
    const known = found.get(subject) || { subject, phones: 0, since: opened_at, until: expires_at };
    known.phones++;
    if (expires_at > known.until) known.until = expires_at;
    found.set(subject, known);
  }
  return [...found.values()];
}

/** @param {string} id @param {Person} person @param {import("../core/app.js").Context} context @param {() => Promise<void>} again */
async function end(id, { subject, phones }, { api }, again) {
  const done = await dialog({
    title: `End the sessions of ${subject}?`,
    body: h(
      "p",
      {},
      `${
        phones === 1 ? `One phone of ${id} shows` : `${phones} phones of ${id} show`
      } nothing more within seconds, and no link that was made for ${subject} opens the page. Others go on.`,
    ),
    act: `End ${subject}'s`,
    grave: true,
    run: () => api.call("DELETE", `/vendors/${id}/sessions`, { query: { subject } }),
  });
  if (!done) return;
  toast(`The sessions of ${subject} have ended.`);
  await again();
}
