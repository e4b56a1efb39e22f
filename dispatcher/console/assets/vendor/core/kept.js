/**
 * What this phone keeps by itself: taps that are on their way.
 * @module
 */

const NAME = "dispatcher-vendor", TAPS = "taps";

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const asked = indexedDB.open(NAME, 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(TAPS, { keyPath: "id" });
  return done(asked);
}

/**
 * @template T
 * @param {IDBRequest<T>} asked
 * @returns {Promise<T>}
 */
function done(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 */
async function within(mode, act) {
  const database = await opened();
  try {
    const transaction = database.transaction(TAPS, mode, { durability: "strict" });
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await done(act(transaction.objectStore(TAPS)));
    await ended;
    return result;
  } finally {
    database.close();
  }
}

/** All taps, in the order in which they were made. @returns {Promise<import("./taps.js").Tap[]>} */
export async function all() {
  const found = await within("readonly", (store) => store.getAll());
  return found.sort((one, other) => one.seq - other.seq);
}

/** @param {import("./taps.js").Tap} tap */
export const put = (tap) => within("readwrite", (store) => store.put(tap));

/** @param {string} id */
export const remove = (id) => within("readwrite", (store) => store.delete(id));

export const clear = () => within("readwrite", (store) => store.clear());
