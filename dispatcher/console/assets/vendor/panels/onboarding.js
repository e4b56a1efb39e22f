/**
 * Why no offers come, where ops does not let the vendor work.
 * @module
 */

import { h } from "../../core/dom.js";
import { t } from "../core/messages.js";
import "./words.js";

/** Nothing while it is active. @param {any} vendor */
export function onboardingOf({ onboarding }) {
  if (!onboarding || onboarding.state === "active") return null;
  const { state, reason } = onboarding;
  return h("p", { class: "warn" }, t(`onboarding.${state}`), reason ? ` ${t("onboarding.reason", { reason })}` : "");
}

/** The same, of who is signed in. @param {import("../core/app.js").Context} context */
export async function ownOnboarding({ api, session, signal }) {
  return onboardingOf(await api.get(`/vendors/${session.vendor_id}`, {}, signal));
}
