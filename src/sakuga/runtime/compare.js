/**
 * A divider between two pictures, one over the other, that pointer, touch and arrow keys move.
 *
 * The one comparator of this project: the server's page imports it, the webcam's page and reports have it inline. It
 * needs nothing else. Which part shows what is up to the page: by the custom property `--at`, or at the event `divide`.
 */

const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10 };

export class Divider {
  /** Adds itself to `root`; `label` says to those who do not see what it divides, `left` what is on its left. */
  constructor(root, label, left = "original", at = 50) {
    this.root = root;
    this.left = left;
    this.element = document.createElement("div");
    this.element.className = "divider";
    this.element.tabIndex = 0;
    const attributes = { role: "slider", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100 };
    for (const [name, value] of Object.entries(attributes)) this.element.setAttribute(name, value);
    root.append(this.element);
    this.at = at;
    this.element.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("pointerdown", (event) => this.#grab(event));
    root.addEventListener("pointermove", (event) => this.#drag(event));
  }

  /** The share of the width, in percent, on the left of it. */
  get at() {
    return this.value;
  }

  set at(value) {
    this.value = Math.min(100, Math.max(0, value));
    const whole = Math.round(this.value);
    this.root.style.setProperty("--at", `${this.value}%`);
    this.root.classList.toggle("no-before", this.value < 15);
    this.root.classList.toggle("no-after", this.value > 85);
    this.element.setAttribute("aria-valuenow", whole);
    this.element.setAttribute("aria-valuetext", `${whole} % ${this.left}`);
    this.root.dispatchEvent(new Event("divide"));
  }

  /** Comes in from the right, so that one sees what became of the picture. */
  reveal() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const start = performance.now();
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / 700));
      if (this.held || !this.root.isConnected) return;
      this.at = 100 - 50 * (1 - (1 - t) ** 3);
      if (t < 1) requestAnimationFrame(step);
    };
    this.held = false;
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
    if (this.element.hidden || event.button !== 0) return;
    this.root.setPointerCapture(event.pointerId);
    this.element.focus({ preventScroll: true, focusVisible: false });
    this.#drag(event);
    event.preventDefault();
  }

  #drag(event) {
    if (!this.root.hasPointerCapture(event.pointerId)) return;
    const box = this.root.getBoundingClientRect();
    this.#move((100 * (event.clientX - box.left)) / box.width);
  }

  #move(value) {
    this.held = true; // ends the reveal
    this.at = value;
  }
}
