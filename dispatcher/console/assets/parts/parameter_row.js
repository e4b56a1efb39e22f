/**
 * One parameter as it is set: a value out of its bounds is said at once, and not taken.
 * @module
 */

import { h } from "../core/dom.js";
import { button } from "./view.js";
import { asText, bounds, parsed, problemOf, same } from "./draft.js";
import { effectOf, readIn } from "./parameter_words.js";

/** @typedef {import("./draft.js").Parameter} Parameter */
/** @typedef {import("./draft.js").Draft} Draft */

/**
 * Its field, what it means, where it is read, and what a nudge of it would move.
 * @param {Parameter} parameter
 * @param {Draft} draft
 * @param {any} told its effect as measured, if it was
 */
export function parameterRow(parameter, draft, told) {
  const value = draft.values.get(parameter.name) ?? parameter.value;
  const isList = Array.isArray(parameter.default);
  const input = h("input", {
    value: asText(value),
    inputMode: isList ? "text" : "decimal",
    class: isList ? "words" : "",
    "aria-label": `${parameter.name}, ${parameter.unit}`,
    "aria-describedby": `about-${parameter.name}`,
    oninput: () => typed(parameter, draft, input, trouble, row),
  });
  const trouble = h("span", { class: "hint", role: "alert" });
  const back = button("Default", () => {
    input.value = asText(parameter.default);
    typed(parameter, draft, input, trouble, row);
    input.focus();
  }, {
    class: "quiet small",
    title: `Back to ${asText(parameter.default) || "none"}`,
    "aria-label": `${parameter.name} to its default`,
  });
  const row = h(
    "div",
    { class: "parameter" },
    h("span", { class: "parameter-name" }, parameter.name),
    h("span", { class: "parameter-value" }, input, back),
    h(
      "span",
      { class: "hint", id: `about-${parameter.name}` },
      `${parameter.summary} `,
      h(
        "span",
        { class: "mono" },
        `${bounds(parameter)}, default ${asText(parameter.default) || "none"}; read in ${readIn(told, parameter)}`,
      ),
      effectOf(told),
    ),
    trouble,
  );
  mark(parameter, draft, row);
  return row;
}

/** @param {Parameter} parameter @param {Draft} draft @param {HTMLInputElement} input @param {HTMLElement} trouble @param {HTMLElement} row */
function typed(parameter, draft, input, trouble, row) {
  const problem = problemOf(parameter, input.value);
  trouble.textContent = problem;
  input.setAttribute("aria-invalid", String(Boolean(problem)));
  row.classList.toggle("wrong", Boolean(problem));
  if (!problem) draft.set(parameter, parsed(parameter, input.value));
  mark(parameter, draft, row);
}

/** @param {Parameter} parameter @param {Draft} draft @param {HTMLElement} row */
function mark(parameter, draft, row) {
  row.classList.toggle("changed", draft.values.has(parameter.name));
  row.classList.toggle("overridden", !same(parameter.value, parameter.default));
}
