/**
 * A pad to sign on, with a finger, a pen or a mouse.
 * @module
 */

import { h } from "../../core/dom.js";
import { blob } from "./picture.js";
import { t } from "../core/messages.js";

const WIDTH = 640, HEIGHT = 240, INK_PX = 4;

/** The pad; `picture()` is what was written, null if nothing was. */
export function pad() {
  const canvas = h("canvas", { class: "pad", width: WIDTH, height: HEIGHT, role: "img", "aria-label": t("proof.pad") });
  let written = false, drawing = -1;
  const pen = () => {
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    Object.assign(ink, { lineWidth: INK_PX, lineCap: "round", lineJoin: "round", strokeStyle: "#101418" });
    return ink;
  };
  const clear = () => {
    const ink = pen();
    ink.fillStyle = "#ffffff"; // a picture of its own, whatever the theme
    ink.fillRect(0, 0, WIDTH, HEIGHT);
    written = false;
  };
  const at = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * WIDTH / box.width, (event.clientY - box.top) * HEIGHT / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    drawing = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    const ink = pen(), [x = 0, y = 0] = at(event);
    ink.beginPath();
    ink.moveTo(x, y);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const ink = pen(), [x = 0, y = 0] = at(event);
    ink.lineTo(x, y);
    ink.stroke();
    written = true;
  });
  for (const each of ["pointerup", "pointercancel"]) canvas.addEventListener(each, () => drawing = -1);
  clear();
  const button = h("button", { type: "button", onclick: clear }, t("proof.clear"));
  return {
    element: h("div", { class: "signing" }, canvas, button),
    picture: async () => written ? await blob(canvas, "image/png") : null,
  };
}
