/** Finding and making elements. */

/** The first element that the selector finds. */
export const $ = (selector, root = document) => root.querySelector(selector);

/** Makes an element; `props` are properties of it, `data-*` and `aria-*` attributes. Empty children are left out. */
export function make(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Says something to screen readers. */
export function say(sentence) {
  $("#status").textContent = sentence;
}

/** A size in bytes, as people write it. */
export function bytes(n) {
  for (const unit of ["bytes", "kB", "MB"]) {
    if (n < 1000) return `${unit === "MB" && n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1000;
  }
  return `${n.toFixed(1)} GB`;
}
