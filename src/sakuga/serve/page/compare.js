/** Two pictures or videos, one over the other, and a divider that pointer, touch and arrow keys move. */

import { make } from "./dom.js";

const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10 };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Compare {
  constructor() {
    this.before = make("div", { className: "side before" });
    this.after = make("div", { className: "side after" });
    this.divider = make("div", {
      className: "divider",
      role: "slider",
      tabIndex: 0,
      "aria-label": "Divide between original and result",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    });
    this.root = make("div", { className: "pair" }, this.after, this.before, this.divider);
    this.at = 50;
    this.divider.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("pointerdown", (event) => this.#grab(event));
    this.root.addEventListener("pointermove", (event) => this.#drag(event));
  }

  /** The share of the width, in percent, that shows the original. */
  get at() {
    return this.value;
  }

  set at(value) {
    this.value = Math.min(100, Math.max(0, value));
    const whole = Math.round(this.value);
    this.root.style.setProperty("--at", `${this.value}%`);
    this.root.classList.toggle("no-before", this.value < 15);
    this.root.classList.toggle("no-after", this.value > 85);
    this.divider.setAttribute("aria-valuenow", whole);
    this.divider.setAttribute("aria-valuetext", `${whole} % original`);
  }

  /** Shows elements, each (or null) with its label; with only one there is nothing to divide. */
  show(before, after, labels, { width, height }) {
    this.root.style.setProperty("--w", width);
    this.root.style.setProperty("--h", height);
    this.before.replaceChildren(...(before ? [before, make("span", { className: "chip" }, labels[0])] : []));
    this.after.replaceChildren(...(after ? [after, make("span", { className: "chip" }, labels[1])] : []));
    const both = Boolean(before && after);
    this.root.classList.toggle("both", both);
    this.divider.hidden = !both;
  }

  /** Draws the divider in from the right, so that one sees what became of the picture. */
  reveal() {
    if (calm.matches) return;
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / 700));
      if (this.root.dataset.held || !this.root.isConnected) return;
      this.at = 100 - 50 * (1 - (1 - t) ** 3);
      if (t < 1) requestAnimationFrame(step);
    };
    delete this.root.dataset.held;
    step(start);
  }

  #key(event) {
    const step = STEPS[event.key] * (event.shiftKey ? 5 : 1);
    if (event.key === "Home") this.#move(0);
    else if (event.key === "End") this.#move(100);
    else if (step) this.#move(this.at + step);
    else return;
    event.preventDefault();
  }

  #grab(event) {
    if (this.divider.hidden || event.button !== 0) return;
    this.root.setPointerCapture(event.pointerId);
    this.divider.focus({ preventScroll: true, focusVisible: false });
    this.#drag(event);
    event.preventDefault();
  }

  #drag(event) {
    if (!this.root.hasPointerCapture(event.pointerId)) return;
    const box = this.root.getBoundingClientRect();
    this.#move((100 * (event.clientX - box.left)) / box.width);
  }

  #move(value) {
    this.root.dataset.held = "yes"; // ends the reveal
    this.at = value;
  }
}
