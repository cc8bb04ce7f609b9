/** Controls that the server describes: its options, and what a style asks for beside the photo. */

import { make } from "./dom.js";

/** A control for an option of the API by its JSON Schema: {element, value()}; "" stands for the server's default. */
export function ofOption(name, schema) {
  const { type, enum: names, minimum, maximum } = (schema.anyOf ?? [schema]).find((one) => one.type !== "null");
  const { default: usual, description: title = "" } = schema;
  if (schema.anyOf?.some((one) => one.const)) return entry(name, { type: "number", step: "any", placeholder: usual, title });
  if (names) return select(name, names, usual, title);
  if (type === "boolean") return check(spelled(name), usual ?? false, title);
  if (minimum !== undefined && maximum !== undefined) return slider(name, minimum, maximum, usual, title);
  return entry(name, { type: type === "string" ? "text" : "number", step: "any", value: usual ?? "", title });
}

/** A control for an input of a style, as /v1/styles describes it. */
export function ofInput({ name, kind, names, minimum = 0, maximum = 1, default: usual, required, expects: title }) {
  const text = [usual ?? ""].flat().join(kind === "text" ? " " : ", ");
  if (kind === "choice") return select(name, names, usual ?? names[0], title);
  if (kind === "choices") return several(name, names, usual ?? []);
  if (kind === "number") return slider(name, minimum, maximum, usual ?? minimum, title);
  if (kind === "picture") return picture(name, required);
  if (kind === "noise") return entry(name, { type: "number", min: 0, step: 1, value: text || 0, title: `The seed: ${title}` });
  return entry(name, { type: "text", value: text, placeholder: title, title });
}

/** A name as a heading: keep_color is "Keep color". */
const spelled = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

function field(name, input, ...between) {
  input.id = `set-${name}`;
  const label = make("label", { htmlFor: input.id }, spelled(name));
  return { element: make("div", { className: "field" }, label, ...between, input), value: () => input.value };
}

const entry = (name, props) => field(name, make("input", props));

function select(name, names, usual, title) {
  const choices = names.map((one) => new Option(one, one, one === usual, one === usual));
  return field(name, make("select", { title }, ...choices));
}

function slider(name, min, max, usual, title) {
  const input = make("input", { type: "range", title, min, max, step: "any" });
  input.value = usual ?? min;
  const shown = make("output", {}, input.value);
  input.addEventListener("input", () => (shown.textContent = Number(Number(input.value).toPrecision(3))));
  return field(name, input, shown);
}

function picture(name, required) {
  const input = make("input", { type: "file", accept: "image/*", required });
  return { ...field(name, input), value: () => input.files[0] ?? "" };
}

function check(label, checked, title) {
  const input = make("input", { type: "checkbox", checked });
  return { element: make("label", { className: "check", title }, input, make("span", {}, label)), value: () => input.checked };
}

function several(name, names, usual) {
  const boxes = names.map((one) => check(one, usual.includes(one), ""));
  const element = make("fieldset", {}, make("legend", {}, spelled(name)), ...boxes.map((box) => box.element));
  return { element, value: () => names.filter((_, place) => boxes[place].value()).join(",") };
}
