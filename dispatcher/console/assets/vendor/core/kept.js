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

/** @typedef {import("./taps.js").Tap} Tap */

/** A browser that keeps nothing (a private window): as long as the page is open. @type {Map<string, Tap>} */
const memory = new Map();

/**
 * @template T
 * @param {() => Promise<T>} act
 * @param {() => T} otherwise
 */
const orInMemory = (act, otherwise) =>
  typeof indexedDB === "undefined" ? Promise.resolve(otherwise()) : act().catch(otherwise);

/** All taps, in the order in which they were made. @returns {Promise<Tap[]>} */
export async function all() {
  const found = await orInMemory(() => within("readonly", (store) => store.getAll()), () => []);
  return [...found, ...memory.values()].sort((one, other) => one.seq - other.seq);
}

/** @param {Tap} tap @returns {Promise<any>} */
export const put = (tap) =>
  orInMemory(() => within("readwrite", (store) => store.put(tap)), () => void memory.set(tap.id, tap));

/** @param {string} id */
export async function remove(id) {
  memory.delete(id);
  await orInMemory(() => within("readwrite", (store) => store.delete(id)), () => undefined);
}

export async function clear() {
  memory.clear();
  await orInMemory(() => within("readwrite", (store) => store.clear()), () => undefined);
}
