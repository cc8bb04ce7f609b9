/** The form: styles, strength and the rest. */

import { $, make } from "./dom.js";
import { ofInput, ofOption } from "./inputs.js";

const SIDES = [4000, 3000, 2000, 1600, 1200, 800];
const STYLE = "sakuga.style"; // where the browser keeps the last one
const titles = new Map();
const form = $("#controls");
let options = { picture: {}, video: {} }; // what the server knows, by name
let more = {}; // controls of options that have no place of their own in the page
const asked = new Map(); // for each style the controls of what it asks for, kept while another is chosen

/** Fills the form and calls `changed` when the user has changed something and paused. */
export function setUp(styles, limits, known, changed) {
  options = known;
  for (const style of styles) titles.set(style.name, style.title);
  const last = remembered();
  const chosen = styles.find(({ name }) => name === last) ?? styles.find((style) => style.default) ?? styles[0];
  $("#styles").replaceChildren(...styles.map((style) => card(style, style === chosen)));
  const list = $("#styles"); // on a phone it is one row that scrolls
  list.scrollLeft = ($("input:checked", list)?.parentElement.offsetLeft ?? 0) - list.clientWidth / 2 + 45;

  const top = limits.max_side;
  const whole = top ? `as the original, up to ${top}` : "as the original";
  const sides = SIDES.filter((side) => !top || side < top);
  form.max_side.append(new Option(whole, top ?? ""), ...sides.map((side) => new Option(`at most ${side} pixels`, side)));
  form.format.append(...limits.formats.map((format) => new Option(spell(format), format)));

  for (const one of document.querySelectorAll("[data-option]")) one.hidden = !(one.dataset.option in options.picture);
  const own = new Set(["file", "style", ...[...form.elements].map(({ name }) => name)]);
  const others = Object.entries({ ...options.video, ...options.picture }).filter(([name]) => !own.has(name));
  more = Object.fromEntries(others.map(([name, schema]) => [name, ofOption(name, schema)]));
  $("#more").replaceChildren(...Object.values(more).map(({ element }) => element));
  for (const { name, inputs } of styles) {
    const others = inputs.filter((one) => one.name !== "strength"); // which is the page's, handed to the style
    asked.set(name, Object.fromEntries(others.map((one) => [one.name, ofInput(one)])));
  }
  ask();

  let timer;
  form.addEventListener("input", ({ target }) => {
    $("#percent").textContent = `${form.strength.value} %`;
    if (target.name === "style") {
      remember(target.value);
      ask();
    }
    clearTimeout(timer);
    // A dragged slider fires many times a second; a choice is one click.
    timer = setTimeout(changed, ["range", "text"].includes(target.type) ? 250 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** The settings as the server takes them, of a video or of a picture. */
export function settings(isVideo) {
  const style = form.elements.style?.value ?? "";
  const values = (controls) => Object.fromEntries(Object.entries(controls).map(([name, { value }]) => [name, value()]));
  const all = {
    style,
    strength: form.strength.value / 100,
    keep_color: form.keep_color.checked,
    max_side: form.max_side.value,
    format: form.format.value,
    strip: form.strip.checked,
    ...values(more),
  };
  const taken = options[isVideo ? "video" : "picture"];
  const fields = Object.fromEntries(Object.entries(all).filter(([name]) => name in taken));
  return { ...fields, ...values(asked.get(style) ?? {}) };
}

/** Shows what the chosen style asks for. */
function ask() {
  const controls = asked.get(form.elements.style?.value) ?? {};
  $("#asked").replaceChildren(...Object.values(controls).map(({ element }) => element));
}

/** A format as people write it. */
export const spell = (format) => format.toUpperCase().replace("WEBP", "WebP");

/** What the style is called. */
export const title = (name) => titles.get(name) ?? name;

function card(style, chosen) {
  return make(
    "label",
    { className: "style", title: `${style.title} (${style.licence})` },
    make("input", { type: "radio", name: "style", value: style.name, checked: chosen }),
    make("img", { src: style.thumbnail, alt: "", width: 96, height: 96, loading: "lazy" }),
    make("span", { className: "name" }, style.title),
    make("small", { className: "soft" }, style.licence),
  );
}

// A browser may refuse to store anything; then the default is chosen the next time.
function remember(name) {
  try {
    localStorage.setItem(STYLE, name);
  } catch {
    return;
  }
}

function remembered() {
  try {
    return localStorage.getItem(STYLE);
  } catch {
    return null;
  }
}
