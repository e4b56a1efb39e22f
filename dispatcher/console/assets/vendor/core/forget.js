/**
 * What a tab keeps of what was typed, and how it is forgotten.
 * @module
 */

export const PREFIX = "dispatcher-vendor-draft ";

/** Nothing of it stays. */
export function forgetDrafts() {
  attempt(() => {
    for (const each of Object.keys(sessionStorage)) if (each.startsWith(PREFIX)) sessionStorage.removeItem(each);
  });
}

/** A browser that keeps nothing has no drafts. @param {() => any} act */
export function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
