/** @type {any} */
const browser = globalThis;
let nowMs = 0;
browser.HTMLElement = class extends EventTarget {};
browser.KeyboardEvent = class extends Event {
  /** @param {string} type @param {any} of */
  constructor(type, { key }) {
    super(type, { cancelable: true });
    Object.defineProperties(this, { key: { value: key }, timeStamp: { value: nowMs } });
  }
};
browser.document = { activeElement: null, body: browser, querySelector: () => null };
Object.defineProperty(performance, "now", { value: () => nowMs });
const { bind, holdKeys, playKeys } = await import("../../dispatcher/console/assets/core/keys.js");

/** How often `p` was heard on a page that comes after these were pressed. @param {string} keys @param {number} laterMs */
function heard(keys, laterMs) {
  let count = 0;
  const left = bind([{ key: "g b", says: "", act: () => undefined }]);
  holdKeys();
  for (const key of keys.split(" ")) dispatchEvent(new KeyboardEvent("keydown", { key }));
  nowMs += laterMs;
  const gone = bind([{ key: "p", says: "", act: () => void count++ }]);
  playKeys();
  for (const each of [left, gone]) each();
  return count;
}

Deno.test("a key waits for what it is for, not for what came instead, nor for ever", () => {
  const told = [heard("p", 100), heard("g b p", 100), heard("p g b", 100), heard("p", 60_000), heard("p p", 100)];
  if (String(told) !== "1,1,0,0,2") throw new Error(String(told));
});
