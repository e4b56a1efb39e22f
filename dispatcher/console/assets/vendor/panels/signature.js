/**
 * A pad to sign on, with a finger, a pen or a mouse.
 * @module
 */

import { h } from "../../core/dom.js";
import { blob } from "./picture.js";
import { t } from "../core/messages.js";

const WIDTH = 640, HEIGHT = 240, INK_PX = 4, LINE = 4; // numbers of the shortest line

/** The pad; `picture()` is what was written, null if nothing was; `lines` so that it can be written again. */
export function pad() {
  const canvas = h("canvas", { class: "pad", width: WIDTH, height: HEIGHT, role: "img", "aria-label": t("proof.pad") });
  let drawing = -1;
  /** @type {number[][]} */
  let lines = []; // each x, y, x, y …
  const pen = () => {
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    Object.assign(ink, { lineWidth: INK_PX, lineCap: "round", lineJoin: "round", strokeStyle: "#101418" });
    return ink;
  };
  const write = (/** @type {number[][]} */ given) => {
    const ink = pen();
    ink.fillStyle = "#ffffff"; // a picture of its own, whatever the theme
    ink.fillRect(0, 0, WIDTH, HEIGHT);
    lines = given;
    for (const line of lines) {
      ink.beginPath();
      for (let at = 0; at < line.length; at += 2) ink.lineTo(line[at] || 0, line[at + 1] || 0);
      ink.stroke();
    }
  };
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return [
      Math.round((event.clientX - box.left) * WIDTH / box.width),
      Math.round((event.clientY - box.top) * HEIGHT / box.height),
    ];
  };
  const told = () => canvas.dispatchEvent(new Event("input", { bubbles: true }));
  canvas.addEventListener("pointerdown", (event) => {
    drawing = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    lines.push(at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const line = lines.at(-1);
    if (event.pointerId !== drawing || !line) return;
    const ink = pen(), [from = 0, along = 0] = line.slice(-2), [x = 0, y = 0] = at(event);
    line.push(x, y);
    ink.beginPath();
    ink.moveTo(from, along);
    ink.lineTo(x, y);
    ink.stroke();
  });
  for (const each of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(each, () => {
      drawing = -1;
      told();
    });
  }
  write([]);
  const clear = () => {
    write([]);
    told();
  };
  const button = h("button", { type: "button", onclick: clear }, t("proof.clear"));
  return {
    element: h("div", { class: "signing" }, canvas, button),
    lines: { get: () => lines, put: write },
    picture: async () => lines.some((each) => each.length >= LINE) ? await blob(canvas, "image/png") : null,
  };
}
