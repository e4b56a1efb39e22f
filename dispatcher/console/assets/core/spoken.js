/**
 * A short form of a request's id, to be said at the telephone: digits, in whatever language.
 * @module
 */

const DIGITS = 6;

/** 418 203 @param {string} id of a request */
export function spoken(id) {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  hash = Math.imul(hash ^ hash >>> 15, 2246822507);
  const said = String((hash ^ hash >>> 13) >>> 0).padStart(DIGITS, "0").slice(-DIGITS);
  return `${said.slice(0, 3)} ${said.slice(3)}`;
}
