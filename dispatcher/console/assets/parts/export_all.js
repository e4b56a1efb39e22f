/**
 * The CSV of a list that is read a page at a time: all of it, not what happens to be on the screen.
 * @module
 */

/**
 * @typedef {object} Paged
 * @property {string} cursor where its next page begins; empty: all is read
 * @property {(further: boolean) => Promise<void>} read
 * @property {{ exportCsv: () => void }} grid
 */

/** Lists that read on at the moment. @type {WeakSet<Paged>} */
const busy = new WeakSet();

/**
 * Read on to its end, then save it. What cannot be read is told by the list, and nothing is saved.
 * @param {Paged} list
 * @param {AbortSignal} signal
 */
export async function exportAll(list, signal) {
  if (busy.has(list)) return;
  busy.add(list);
  try {
    for (let before = ""; list.cursor && list.cursor !== before && !signal.aborted;) {
      before = list.cursor;
      await list.read(true);
    }
    if (!list.cursor && !signal.aborted) list.grid.exportCsv();
  } finally {
    busy.delete(list);
  }
}
