/**
 * Tuning: parameters as they are declared, a diff before anything is applied, versions, sets, profiles.
 * @module
 */

import { bind } from "../core/keys.js";
import { Draft } from "../parts/draft.js";
import { Parameters } from "../parts/parameters.js";
import { Profiles } from "../parts/profiles.js";
import { Sets } from "../parts/sets.js";
import { Trials } from "../parts/trials.js";
import { Versions } from "../parts/versions.js";
import { toast } from "../parts/toast.js";
import { heading, notForYou, tabs } from "../parts/view.js";

export const title = "Tuning";

/**
 * A side of the page.
 * @typedef {object} Side
 * @property {HTMLElement} node
 * @property {() => void | Promise<void>} read
 * @property {import("../core/keys.js").Binding[]} [keys]
 * @property {boolean} [known] whether what its keys act on was read; left out: they need nothing
 */

/** @type {Record<string, { says: string, make: (context: import("../core/app.js").Context, draft: Draft) => Side }>} */
const SIDES = {
  parameters: { says: "Parameters", make: (context, draft) => new Parameters(context, draft) },
  sets: { says: "Sliders and sets", make: (context, draft) => new Sets(context, draft) },
  versions: { says: "Versions", make: (context) => new Versions(context) },
  profiles: { says: "Profiles", make: (context, draft) => new Profiles(context, draft) },
  trials: { says: "Shadow and canary", make: (context, draft) => new Trials(context, draft) },
};

/**
 * @param {HTMLElement} root
 * @param {import("../core/app.js").Context} context
 */
export function mount(root, context) {
  if (!context.may("ops")) return void root.append(heading(title), notForYou(title));
  const name = context.path[0] && context.path[0] in SIDES ? context.path[0] : "parameters";
  const side = SIDES[name].make(context, new Draft(context.market));
  root.append(
    heading(title),
    tabs(
      "Tuning",
      Object.entries(SIDES).map(([each, { says }]) => ({
        name: each,
        says,
        href: context.href("tuning", each === "parameters" ? [] : [each]),
      })),
      name,
    ),
    side.node,
  );
  void side.read();
  return bind([
    { key: "r", says: "Read again", act: () => void side.read() },
    ...Object.entries(SIDES).map(([each, { says }], at) => ({
      key: String(at + 1),
      says,
      act: () => context.go("tuning", each === "parameters" ? [] : [each]),
    })),
    ...(side.keys || []).map((each) => ({
      ...each,
      act: (/** @type {KeyboardEvent} */ event) =>
        side.known === false ? toast("It is not read yet.") : each.act(event),
    })),
  ]);
}
