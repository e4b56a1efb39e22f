/**
 * Fairness: how requests fare by level of service and area against all others, and the floor that holds them up.
 * @module
 */

import { h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { empty, figure } from "../parts/figure.js";
import { groupSays } from "../parts/group.js";
import { save, table } from "../parts/table.js";
import { button, every, heading, notForYou, number, percent, reading, section, words } from "../parts/view.js";

export const title = "Fairness";

const EVERY_MS = 20_000, MOST = 1_000, NOBODY = "–";
/** @typedef {import("../core/app.js").Context} Context */
/** @typedef {{ level_of_service: string, area: [number, number], asked: number, unmatched: number, waiting: number, wait_minutes: number, unmatched_share: number, others_wait_minutes: number | null, others_unmatched_share: number | null, behind: number }} Group */

/**
 * @param {HTMLElement} root
 * @param {Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  const place = h("div", { class: "page-part" });
  /** @type {import("../parts/table.js").TableOptions<Group>} */
  let shown = optionsOf([], context);
  const read = () =>
    reading(
      place,
      context.signal,
      () => context.api.get("/fairness", { limit: MOST }, context.signal),
      (found) => {
        shown = optionsOf(found.groups, context);
        return draw(found, shown, context);
      },
    );
  const keep = () => shown.rows.length ? save(shown) : undefined;
  root.append(
    heading(title, button("Export CSV", keep, { title: "e" }), button("Read again", read, { title: "r" })),
    place,
  );
  void read();
  every(() => place.contains(document.activeElement) || read(), EVERY_MS, context.signal); // who is in it keeps their place
  return bind([
    { key: "r", says: "Read again", act: () => void read() },
    { key: "e", says: "Export CSV", act: keep },
  ]);
}

/** @param {any} found @param {import("../parts/table.js").TableOptions<Group>} options @param {Context} context */
function draw(found, options, context) {
  const far = (/** @type {number} */ least) => found.groups.filter((/** @type {Group} */ each) => each.behind >= least);
  const behind = far(Number.MIN_VALUE).length, floored = far(1).length;
  if (!found.groups.length) {
    return [
      empty(
        "No request had its first offer, or ended without one, in the last seven days.",
        "Groups stand here once requests were decided; the floor holds from the first.",
      ),
      floor(found, context),
    ];
  }
  return [
    h(
      "div",
      { class: "figures" },
      figure({ value: number(found.groups.length + found.more), says: "groups: level of service and area" }),
      figure({ value: behind, says: "behind the others", tone: behind ? "warn" : "good" }),
      figure({ value: floored, says: "of them by the floor, or more", tone: floored ? "bad" : "good" }),
      figure({ value: minutes(found.wait_minutes), says: "until the first offer, all together" }),
      figure({ value: share(found.unmatched_share), says: "without a vendor, all together" }),
    ),
    floor(found, context),
    section(
      "Groups, the farthest behind first",
      null,
      h(
        "p",
        { class: "soft" },
        `Of ${found.since} to ${found.until} (UTC), with those that wait now. An area is a square of some 8 km. ` +
          "Numbers lead to the board, which knows the 5,000 requests that ended last.",
      ),
      table(options),
      found.more > 0 && h("p", { class: "soft" }, `${number(found.more)} more lie less far behind.`),
    ),
  ];
}

/** The tuning that decides, beside what it does. @param {any} found @param {Context} context */
function floor(found, context) {
  const rows = [
    ["fairness_wait_minutes", `${found.floor_wait_minutes} min`, "so much longer than the others may a group wait"],
    [
      "fairness_unmatched_share",
      share(found.floor_unmatched_share),
      "so much more of it than of the others may go without a vendor",
    ],
    [
      "fairness_most",
      String(found.floor_most),
      found.floor_most > 0
        ? "times the floor at most count: from there on its requests weigh all they may"
        : "there is no floor: nobody is put before others for waiting longer",
    ],
  ];
  return section(
    "The floor",
    h("a", { class: "button", href: context.href("tuning", [], { find: "fairness" }) }, "Tuning"),
    h(
      "dl",
      { class: "facts" },
      rows.map(([name, value, says]) => [
        h("dt", { class: "mono" }, name),
        h("dd", {}, h("strong", {}, value), `, ${says}`),
      ]),
    ),
  );
}

/**
 * @param {Group[]} rows
 * @param {Context} context
 * @returns {import("../parts/table.js").TableOptions<Group>}
 */
function optionsOf(rows, context) {
  /** @param {Group} row @param {number} count @param {string} states @param {string} says */
  const lead = (row, count, states, says) => {
    const group = `${row.level_of_service}@${row.area.join(",")}`;
    const href = context.href("board", [], { group, state: states });
    return count ? h("a", { href, "aria-label": `${count} ${says} of ${groupSays(group)}` }, number(count)) : "0";
  };
  return {
    label: "Groups",
    file: `fairness-${context.market}`,
    rows,
    tone: (row) => row.behind >= 1 ? "bad" : row.behind > 0 ? "warn" : "",
    columns: [
      { name: "level_of_service", says: "Service", value: (row) => words(row.level_of_service) },
      {
        name: "area",
        says: "Area",
        value: (row) => `${row.area[1].toFixed(3)} ${row.area[0].toFixed(3)}`,
        show: (row) => h("span", { class: "mono" }, `${row.area[1].toFixed(3)}, ${row.area[0].toFixed(3)}`),
      },
      {
        name: "behind",
        says: "Behind",
        value: (row) => row.behind,
        show: (row) =>
          row.behind > 0
            ? h("span", { class: `tag ${row.behind >= 1 ? "bad" : "warn"}` }, `${row.behind.toFixed(1)} × the floor`)
            : "not behind",
      },
      {
        name: "waiting",
        says: "Wait now",
        value: (row) => row.waiting,
        show: (row) => lead(row, row.waiting, "matching", "that wait now"),
        end: true,
      },
      {
        name: "asked",
        says: "Decided",
        value: (row) => row.asked,
        show: (row) => lead(row, row.asked, "", "requests"),
        end: true,
      },
      {
        name: "wait_minutes",
        says: "Waited",
        value: (row) => row.wait_minutes,
        show: (row) => minutes(row.wait_minutes),
        end: true,
      },
      {
        name: "others_wait_minutes",
        says: "Others",
        value: (row) => row.others_wait_minutes,
        show: (row) => row.others_wait_minutes === null ? NOBODY : minutes(row.others_wait_minutes),
        end: true,
      },
      {
        name: "unmatched",
        says: "Unmatched",
        value: (row) => row.unmatched,
        show: (row) => lead(row, row.unmatched, "unmatched", "without a vendor"),
        end: true,
      },
      {
        name: "unmatched_share",
        says: "Share",
        value: (row) => row.unmatched_share,
        show: (row) => share(row.unmatched_share),
        end: true,
      },
      {
        name: "others_unmatched_share",
        says: "Others",
        value: (row) => row.others_unmatched_share,
        show: (row) => row.others_unmatched_share === null ? NOBODY : share(row.others_unmatched_share),
        end: true,
      },
    ],
  };
}

/** @param {number} of */
const minutes = (of) => `${of < 10 ? of.toFixed(1) : Math.round(of)} min`;
/** @param {number} of */
const share = (of) => of > 0 && of < 0.1 ? `${(of * 100).toFixed(1)} %` : percent(of);
