/**
 * A draft of a market's tuning: what was changed and not yet sent. It is kept while the tab is open, so that a
 * what-if can be asked on the way.
 * @module
 */

/** @typedef {number | string[]} Value */
/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {Value} value
 * @property {Value} default
 * @property {number} minimum
 * @property {number} maximum
 * @property {string} unit
 * @property {string} summary
 * @property {string} scope
 */

/** @param {Value} a @param {Value} b */
export function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** 1, 0.5; a list with commas; nothing for an empty one. @param {Value} value */
export function asText(value) {
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/**
 * What is wrong with a text as a value of the parameter; "" nothing.
 * @param {Parameter} parameter
 * @param {string} text
 */
export function problemOf(parameter, text) {
  if (Array.isArray(parameter.default)) {
    const count = /** @type {string[]} */ (parsed(parameter, text)).length;
    return count > parameter.maximum ? `${count} given; ${parameter.maximum} is the limit` : "";
  }
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return `“${text}” is no number; ${bounds(parameter)}`;
  if (value < parameter.minimum || value > parameter.maximum) return `${value} is outside ${bounds(parameter)}`;
  if (
    Number.isInteger(parameter.default) && Number.isInteger(parameter.maximum) && !Number.isInteger(value) &&
    isWhole(parameter)
  ) {
    return `${value} is not a whole number of ${parameter.unit}`;
  }
  return "";
}

/** The service says the last word on whether halves are taken. @param {Parameter} parameter */
function isWhole(parameter) {
  return [parameter.default, parameter.minimum, parameter.maximum].every((each) => Number.isInteger(each)) &&
    !/share|weight|factor|mph|ratio/.test(parameter.unit + parameter.name);
}

/** @param {Parameter} parameter */
export function bounds(parameter) {
  return `${parameter.minimum} … ${parameter.maximum} ${parameter.unit}`;
}

/** @param {Parameter} parameter @param {string} text @returns {Value} */
export function parsed(parameter, text) {
  return Array.isArray(parameter.default) ? text.split(/[\s,]+/).filter(Boolean) : Number(text);
}

/** Overrides as the service takes them: what is not at its default. @param {Parameter[]} parameters @param {Map<string, Value>} drafted */
export function overrides(parameters, drafted) {
  /** @type {Record<string, Value>} */
  const values = {};
  for (const each of parameters) {
    const value = drafted.has(each.name) ? /** @type {Value} */ (drafted.get(each.name)) : each.value;
    if (!same(value, each.default)) values[each.name] = value;
  }
  return values;
}

/** The draft of one market. */
export class Draft {
  /** @param {string} market */
  constructor(market) {
    this.key = `tuning draft ${market}`;
    /** @type {Map<string, Value>} */
    this.values = new Map(Object.entries(stored(this.key)));
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /** @param {Parameter} parameter @param {Value} value */
  set(parameter, value) {
    if (same(value, parameter.value)) this.values.delete(parameter.name);
    else this.values.set(parameter.name, value);
    this.keep();
  }

  /** Everything as in these overrides. @param {Parameter[]} parameters @param {Record<string, Value>} values */
  take(parameters, values) {
    this.values.clear();
    for (const each of parameters) {
      const value = each.name in values ? values[each.name] : each.default;
      if (!same(value, each.value)) this.values.set(each.name, value);
    }
    this.keep();
  }

  /** What became of the parameters meanwhile: what is as drafted now is no change any more. @param {Parameter[]} parameters */
  settle(parameters) {
    const known = new Map(parameters.map((each) => [each.name, each]));
    for (const [name, value] of this.values) {
      const parameter = known.get(name);
      if (!parameter || same(parameter.value, value)) this.values.delete(name);
    }
    this.keep();
  }

  clear() {
    this.values.clear();
    this.keep();
  }

  keep() {
    sessionStorage.setItem(this.key, JSON.stringify(Object.fromEntries(this.values)));
    for (const each of this.listeners) each();
  }

  /** @param {Parameter[]} parameters */
  changes(parameters) {
    return parameters.filter((each) => this.values.has(each.name)).map((each) => ({
      parameter: each,
      before: each.value,
      after: /** @type {Value} */ (this.values.get(each.name)),
    }));
  }
}

/** @param {string} key @returns {Record<string, Value>} */
function stored(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) || "{}");
  } catch {
    return {};
  }
}
