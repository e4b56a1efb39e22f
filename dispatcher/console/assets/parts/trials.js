/** @module */
import { h } from "../core/dom.js";
/** Not here yet. */
export class Trials {
  /** @param {import("../core/app.js").Context} context @param {import("./draft.js").Draft} draft */
  constructor(context, draft) {
    this.context = context;
    this.draft = draft;
    this.node = h("div", { class: "page-part" });
  }
  read() {}
}
