/**
 * Saved views: what stands in the address, under a name, for everybody of the market.
 * @module
 */

import { fill, h } from "../core/dom.js";
import { dialog, field } from "./dialog.js";
import { toast } from "./toast.js";

/** @typedef {import("../core/app.js").Context} Context */

/** A menu of them, and a button that saves what is seen. */
export class Views {
  /** @param {Context} context @param {(query: URLSearchParams) => void} take */
  constructor(context, take) {
    this.context = context;
    this.take = take;
    this.etag = "";
    /** @type {{ name: string, query: string }[]} */
    this.views = [];
    this.chosen = h("select", { "aria-label": "Saved views", onchange: () => this.pick() });
    this.node = h(
      "span",
      { class: "row" },
      this.chosen,
      h("button", { type: "button", onclick: () => this.save() }, "Save view…"),
    );
    this.draw();
    this.read().catch(() => {});
  }

  async read() {
    const { data, etag } = await this.context.api.call("GET", "/board/views", { signal: this.context.signal });
    this.views = data.views;
    this.etag = etag;
    this.draw();
  }

  draw() {
    fill(
      this.chosen,
      h("option", { value: "" }, "Views"),
      this.views.map((each) => h("option", { value: each.name }, each.name)),
      this.views.length > 0 && h("option", { value: "\n" }, "Remove one…"),
    );
    this.chosen.value = "";
  }

  pick() {
    const found = this.views.find((each) => each.name === this.chosen.value);
    if (this.chosen.value === "\n") this.remove();
    else if (found) this.take(new URLSearchParams(found.query));
    this.chosen.value = "";
  }

  save() {
    const name = h("input", { name: "name", required: true, maxLength: 120, autofocus: true });
    return dialog({
      title: "Save this view",
      act: "Save",
      body: field(
        "Name",
        name,
        "Chips, words and order, for everybody who looks at this market. The address can be sent as well.",
      ),
      run: async () => {
        const view = { name: name.value.trim(), query: location.search.replace(/^\?/, "") };
        await this.put([...this.views.filter((each) => each.name !== view.name), view]);
        toast(`The view “${view.name}” is saved`);
      },
    });
  }

  remove() {
    const name = h("select", { name: "name" }, this.views.map((each) => h("option", {}, each.name)));
    return dialog({
      title: "Remove a view",
      act: "Remove",
      grave: true,
      body: field("View", name, "For everybody who looks at this market."),
      run: () => this.put(this.views.filter((each) => each.name !== name.value)),
    });
  }

  /** @param {{ name: string, query: string }[]} views */
  async put(views) {
    await this.context.api.put("/board/views", { views }, { ifMatch: this.etag || undefined });
    await this.read();
  }
}
