// Hands on the map, and the colours that every kind of eye tells apart. Run by tools/javascript.py.
import { hands } from "../../dispatcher/console/assets/parts/map/hands.js";

/** @param {unknown} found @param {unknown} wanted */
function equal(found, wanted) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`found ${one}, wanted ${other}`);
}

/** A surface without a browser, and what hands do on it. */
function surface(bands = false) {
  /** @type {any} */
  const on = new EventTarget();
  on.setPointerCapture = () => {};
  on.getBoundingClientRect = () => ({ left: 0, top: 0 });
  on.closest = () => null;
  /** @type {any[]} */
  const done = [];
  const note = (/** @type {string} */ name) => (/** @type {any[]} */ ...words) => done.push([name, ...words]);
  const acts = Object.fromEntries(
    ["pan", "zoom", "fit", "point", "pick", "band", "all", "none"].map((each) => [each, note(each)]),
  );
  hands(on, /** @type {any} */ (acts), () => bands, new AbortController().signal);
  const send = (/** @type {string} */ type, /** @type {any} */ facts) => {
    const event = new Event(type, { cancelable: true });
    for (
      const [name, value] of Object.entries({
        button: 0,
        pointerId: 1,
        shiftKey: false,
        ctrlKey: false,
        metaKey: false,
        ...facts,
      })
    ) {
      Object.defineProperty(event, name, { value });
    }
    on.dispatchEvent(event);
  };
  return { done, send };
}

/** @type {any} */ (globalThis).Element = EventTarget;
const at = (/** @type {number} */ clientX, /** @type {number} */ clientY, more = {}) => ({ clientX, clientY, ...more });

Deno.test("a drag pans, a press picks, and a hand that trembles still picks", () => {
  const { done, send } = surface();
  send("pointerdown", at(10, 10));
  send("pointermove", at(12, 11));
  send("pointerup", at(12, 11));
  equal(done, [["pick", [10, 10], false]]);
  done.length = 0;
  send("pointerdown", at(10, 10));
  send("pointermove", at(30, 10));
  send("pointermove", at(35, 15));
  send("pointerup", at(35, 15));
  equal(done, [["pan", 20, 0], ["pan", 5, 5]]);
});

Deno.test("a drag with Shift draws a band, and so does a plain one where that is chosen", () => {
  for (const { hand, more } of [{ hand: surface(), more: { shiftKey: true } }, { hand: surface(true), more: {} }]) {
    hand.send("pointerdown", at(10, 10, more));
    hand.send("pointermove", at(50, 60));
    hand.send("pointerup", at(50, 60));
    equal(hand.done, [["band", [10, 10], [50, 60], false, false], ["band", [10, 10], [50, 60], true, false]]);
  }
});

Deno.test("two fingers zoom about their middle, and pick nothing when they go", () => {
  const { done, send } = surface();
  send("pointerdown", at(100, 100));
  send("pointerdown", at(200, 100, { pointerId: 2 }));
  send("pointermove", at(300, 100, { pointerId: 2 }));
  send("pointerup", at(300, 100, { pointerId: 2 }));
  send("pointerup", at(100, 100));
  equal(done, [["pan", 50, 0], ["zoom", 2, [200, 100]]]);
});

Deno.test("a wheel zooms where it points, one key at a time moves the map", () => {
  const { done, send } = surface();
  send("wheel", at(7, 8, { deltaY: -1e9 }));
  equal([done[0][0], done[0][1] > 1 && done[0][1] < 2, done[0][2]], ["zoom", true, [7, 8]]);
  done.length = 0;
  for (const key of ["ArrowLeft", "+", "0", "a", "Escape", "x"]) send("keydown", { key });
  send("keydown", { key: "a", ctrlKey: true });
  equal(done.map(([name]) => name), ["pan", "zoom", "fit", "all", "none"]);
});

/** How eyes without one kind of cone see linear RGB (Machado and others 2009, severity 1). @type {Record<string, number[][]>} */
const EYES = {
  most: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanope: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranope: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanope: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const XYZ = [[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8729]]; // of a white of 1, 1, 1

/** @param {number[][]} matrix @param {number[]} vector */
const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, each, nth) => sum + each * vector[nth], 0));

/** CIE L*a*b* as these eyes see it. @param {string} hex @param {number[][]} eyes */
function lab(hex, eyes) {
  const linear = [1, 3, 5].map((nth) => parseInt(hex.slice(nth, nth + 2), 16) / 255).map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  );
  const seen = times(eyes, linear).map((c) => Math.min(1, Math.max(0, c)));
  const [x, y, z] = times(XYZ, seen).map((t) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

Deno.test("signs of one fill are told apart by every kind of eye, in both themes", async () => {
  const sheets = await Promise.all(
    ["1-tokens.css", "4-map.css"].map((name) =>
      Deno.readTextFile(new URL(`../../dispatcher/console/assets/style/${name}`, import.meta.url))
    ),
  );
  const groups = [["state-matching", "state-on_hold"], ["state-accepted", "state-in_progress", "map-done"], [
    "state-unmatched",
    "map-ended",
  ]];
  for (let theme = 0; theme < 3; theme++) { // light; dark as the system has it; dark as it was chosen
    const tone = (/** @type {string} */ name) =>
      sheets.flatMap((css) => [...css.matchAll(new RegExp(`--${name}:\\s*(#[0-9a-f]{6})`, "g"))])[theme]?.[1] || "";
    for (const group of groups) {
      for (const [eyes, matrix] of Object.entries(EYES)) {
        for (const one of group) {
          for (const other of group.slice(group.indexOf(one) + 1)) {
            const [a, b] = [lab(tone(one), matrix), lab(tone(other), matrix)];
            const away = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
            if (!(away >= 15)) {
              throw new Error(
                `${one} and ${other} are ${away.toFixed(1)} apart for a ${eyes}: ${tone(one)} ${tone(other)}`,
              );
            }
          }
        }
      }
    }
  }
});
