// The API in a browser, read from /openapi.json: no other source, no other host.
const api = await (await fetch("/openapi.json")).json();

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const resolve = (schema) => (schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema);
const nameOf = (schema) => schema.$ref?.split("/").pop() ?? schema.title ?? "";

const BOUNDS = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format", "default"];

function kind(schema) {
  if (schema.$ref) return nameOf(schema);
  if (schema.anyOf) return schema.anyOf.map(kind).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return schema.prefixItems ? `[${schema.prefixItems.map(kind).join(", ")}]` : `array of ${kind(schema.items ?? {})}`;
  return schema.type ?? "any";
}

function bounds(schema) {
  return BOUNDS.filter((name) => name in schema).map((name) => `${name} ${JSON.stringify(schema[name])}`).join(", ");
}

function inner(schema) {
  const found = [schema, ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])];
  return found.flatMap((each) => (each === schema ? (each.$ref ? [each] : []) : inner(each)));
}

function describe(schema, depth = 0) {
  const whole = resolve(schema);
  const box = make("div");
  if (whole.description) box.append(make("p", {}, whole.description));
  if (whole.enum) box.append(make("p", {}, make("code", {}, whole.enum.join(" · "))));
  if (!whole.properties) {
    for (const each of inner(whole)) box.append(folded(each, depth));
    return box;
  }
  const rows = Object.entries(whole.properties).map(([name, property]) => {
    const cell = make("td", {}, make("code", {}, kind(property)), ` ${bounds(property)} ${property.description ?? ""}`);
    if (depth < 6) for (const each of inner(property)) cell.append(folded(each, depth + 1));
    const mark = whole.required?.includes(name) ? "required" : "";
    return make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, mark), cell);
  });
  box.append(make("table", {}, make("tbody", {}, ...rows)));
  return box;
}

function folded(schema, depth) {
  const details = make("details", { class: "schema" }, make("summary", {}, nameOf(schema) || kind(schema)));
  details.addEventListener("toggle", () => details.children.length === 1 && details.append(describe(schema, depth)), { once: true });
  return details;
}

function example(schema, depth = 0) {
  const whole = resolve(schema);
  if (depth > 8) return null;
  if ("default" in whole) return whole.default;
  if (whole.examples) return whole.examples[0];
  if (whole.enum) return whole.enum[0];
  if (whole.anyOf) return example(whole.anyOf[0], depth + 1);
  if (whole.type === "object") {
    const names = whole.required ?? [];
    const more = ["pickup_window", "patient", "price_cents", "since"].filter((name) => name in (whole.properties ?? {}));
    if (whole.minProperties) return { example: example(whole.additionalProperties ?? {}, depth + 1) };
    return Object.fromEntries([...names, ...more].map((name) => [name, filled(name, whole.properties[name], depth)]));
  }
  if (whole.prefixItems) return whole.prefixItems.map((each) => example(each, depth + 1));
  if (whole.type === "array") return [example(whole.items ?? {}, depth + 1)];
  if (whole.format === "date-time") return new Date(Date.now() + 7200e3).toISOString();
  if (whole.format === "date") return new Date().toISOString().slice(0, 10);
  if (whole.type === "boolean") return true;
  if (whole.type === "string") return "text";
  return whole.minimum ?? whole.exclusiveMinimum ?? 0;
}

function filled(name, schema, depth) {
  if (name === "id") return "example-1";
  if (name === "offer_id") return "example-1.1";
  if (name === "price_cents") return 4500;
  if (name === "since") return new Date().toISOString();
  if (name === "url") return `https:${location.origin.replace(/^https?:/, "")}/told`;
  if (name === "patient") return { name: "Nobody Example", record_number: "EX-1" };
  if (name === "latest") return new Date(Date.now() + 9000e3).toISOString();
  if (name === "pickup_window") return example({ $ref: "#/components/schemas/Window" }, depth + 1);
  return name === "position" || name === "centre" ? [-73.97, 40.78] : example(schema, depth + 1);
}

function parameterTable(parameters) {
  const rows = parameters.map((each) => make("tr", {},
    make("td", {}, make("code", {}, each.name)), make("td", {}, `${each.in}${each.required ? ", required" : ""}`),
    make("td", {}, make("code", {}, kind(each.schema)), ` ${bounds(each.schema)} ${each.description ?? each.schema.description ?? ""}`)));
  return make("table", {}, make("tbody", {}, ...rows));
}

// Text with `code` in it.
function coded(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

function answers(responses) {
  const rows = Object.entries(responses).map(([status, each]) => {
    const cell = make("td", {}, ...coded(each.description));
    const schema = Object.values(each.content ?? {})[0]?.schema;
    if (schema && inner(schema).length) cell.append(...inner(schema).map((found) => folded(found, 0)));
    return make("tr", {}, make("td", {}, make("code", {}, status)), cell);
  });
  return make("table", {}, make("tbody", {}, ...rows));
}

function trial(method, path, operation) {
  const fields = (operation.parameters ?? []).map((each) => {
    const input = make("input", { "data-name": each.name, "data-in": each.in, size: "40" });
    if (each.name === "Idempotency-Key") input.value = crypto.randomUUID?.() ?? String(Math.random());
    if (each.name === "market") input.value = "metro";
    return make("label", { class: "field" }, `${each.name} `, input);
  });
  const schema = operation.requestBody && Object.values(operation.requestBody.content)[0].schema;
  const body = schema && make("textarea", { "aria-label": "body" });
  if (body) body.value = JSON.stringify(example(schema), null, 2);
  const button = make("button", { type: "button" }, "Send");
  const result = make("pre", { "aria-live": "polite", hidden: "" });
  const form = make("fieldset", {}, make("legend", {}, "Try it"), ...fields, ...(body ? [body] : []), button, result);
  button.addEventListener("click", async () => {
    result.hidden = false;
    result.textContent = await send(method, path, form, body?.value);
  });
  return form;
}

async function send(method, path, form, body) {
  const inputs = [...form.querySelectorAll("input")].filter((input) => input.value !== "");
  const of = (place) => inputs.filter((input) => input.dataset.in === place).map((input) => [input.dataset.name, input.value]);
  let url = path;
  for (const [name, value] of of("path")) url = url.replace(`{${name}}`, encodeURIComponent(value));
  const query = new URLSearchParams(of("query")).toString();
  const headers = Object.fromEntries(of("header"));
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(query ? `${url}?${query}` : url, { method: method.toUpperCase(), headers, body: body || undefined });
    const named = ["ETag", "Location", "Retry-After", "X-Request-Id"].filter((name) => response.headers.get(name));
    const head = [`${response.status} ${response.statusText}`, ...named.map((name) => `${name}: ${response.headers.get(name)}`)];
    if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) return [...head, "", await firstEvents(response)].join("\n");
    return [...head, "", pretty(await response.text())].join("\n");
  } catch (error) {
    return String(error);
  }
}

async function firstEvents(response) {
  const reader = response.body.getReader();
  const late = new Promise((done) => setTimeout(() => done({ value: undefined }), 5000));
  const { value } = await Promise.race([reader.read(), late]);
  await reader.cancel();
  return value ? new TextDecoder().decode(value) : "(nothing within 5 s)";
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

function card(method, path, operation) {
  const summary = make("summary", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("code", {}, path), ...coded(operation.summary));
  const details = make("details", { class: "operation", id: operation.operationId }, summary);
  details.addEventListener("toggle", () => {
    if (details.children.length > 1) return;
    const inside = make("div", { class: "inside" }, make("p", {}, operation.description ?? "Open: needs no token."));
    if (operation.parameters) inside.append(make("h3", {}, "Parameters"), parameterTable(operation.parameters));
    if (operation.requestBody) inside.append(make("h3", {}, "Body"), describe(Object.values(operation.requestBody.content)[0].schema));
    inside.append(make("h3", {}, "Answers"), answers(operation.responses));
    if (!operation.responses[200]?.content?.["text/html"]) inside.append(trial(method, path, operation));
    details.append(inside);
  });
  return details;
}

function render() {
  document.title = document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("about").textContent = api.info.description;
  const index = document.getElementById("index"), main = document.getElementById("operations");
  main.replaceChildren();
  for (const { name } of api.tags) {
    index.append(make("h2", {}, name));
    main.append(make("h2", {}, name));
    for (const [path, methods] of Object.entries(api.paths)) for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags[0] !== name) continue;
      const shown = card(method, path, operation);
      const link = make("a", { href: `#${operation.operationId}` }, operation.summary.split(/[:;(,]/)[0]);
      link.addEventListener("click", () => { shown.open = true; });
      index.append(link);
      main.append(shown);
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
}

render();
