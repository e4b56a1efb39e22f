/**
 * Work that is asked for again and again: done soon, and no more often than that. (`settled` waits for an end
 * of the asking, which a busy market does not have.)
 * @module
 */

/**
 * Call it within `wait` ms of being asked, once however often it is asked meanwhile.
 * @param {() => void} act
 * @param {number} wait ms
 * @param {AbortSignal} [signal] nothing is done after it
 */
export function paced(act, wait, signal) {
  let timer = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      if (!signal?.aborted) act();
    }, wait);
  };
}
