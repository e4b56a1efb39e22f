/**
 * What is not needed every hour: language, who is signed in, signing out.
 * @module
 */

import { h } from "../../core/dom.js";
import { Problem } from "../../core/api.js";
import { clear } from "../core/kept.js";
import { keepLanguage, LANGUAGES, t } from "../core/messages.js";
import { trouble } from "../core/pieces.js";
import { field } from "./field.js";
import { sheet } from "./sheet.js";
import "./words.js";

/** @typedef {import("../core/app.js").Context} Context */

const SIGNED_OUT = 401;

export const title = () => t("more.title");

/** @param {HTMLElement} root @param {Context} context */
export function mount(root, context) {
  const { session } = context;
  const language = h("select", {
    onchange: () => {
      keepLanguage(language.value);
      location.reload();
    },
  }, Object.entries(LANGUAGES).map(([value, says]) => h("option", { value, lang: value }, says)));
  language.value = document.documentElement.lang;
  root.append(
    h("h1", {}, title()),
    h(
      "nav",
      { class: "links", "aria-label": title() },
      ["statement", "scorecard", "papers", "lost"].map((each) =>
        h("a", { class: "button", href: `/vendor/${each}` }, t(`${each}.title`))
      ),
    ),
    field(t("more.language"), language),
    h("p", { class: "soft" }, t("more.who", { who: [session.subject, session.vendor_id].filter(Boolean).join(", ") })),
    h("button", { onclick: () => void signOut(context) }, t("more.signOut")),
    h("p", { class: "soft" }, t("more.version", { version: session.version })),
  );
}

/** @param {Context} context */
async function signOut({ taps, api }) {
  const left = taps.list.filter((each) => !each.refused).length;
  const sure = !left ||
    await sheet({
      title: t("more.signOut"),
      body: h("p", {}, t("more.signOut.lost", { n: left })),
      act: t("more.signOut"),
      run: () => true,
    });
  if (!sure) return;
  try {
    await api.call("DELETE", "/vendor/session");
  } catch (error) {
    if (!(error instanceof Problem && error.status === SIGNED_OUT)) {
      return await sheet({ title: t("more.signOut"), body: trouble(t("more.signOut.offline")) });
    }
  }
  await clear();
  dispatchEvent(new CustomEvent("signed-out"));
}
