/**
 * A form that is sent once, however often it is tapped.
 * @module
 */

/** Of two taps on a form's button the first, as long as it is not through. @param {() => Promise<void>} act */
export function once(act) {
  let busy = false;
  return async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    await act().finally(() => busy = false);
  };
}
