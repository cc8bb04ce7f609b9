/**
 * The engine of the page without a server: a worker in this browser. It exports what `sakuga.serve`'s engine does, of
 * which the page uses either.
 */

import { MAX_PIXELS } from "./decode.js";
import { Refused } from "./refused.js";

// A function of one instruction for vectors (i8x16.popcnt): what ONNX Runtime is built of.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
const MAX_BYTES = 250e6;
const FORMATS = ["jpeg", "png", "webp"];
const BRUSH =
  "Width of the brush: each of the network's pixels covers so many of the picture's, 1 or more; auto: large pictures are stylised at about one megapixel.";

export const promise = "Pictures stay on this device: this page computes by itself, without a server, also without a network.";

/** The styles there are. */
export async function styles() {
  if (!globalThis.WebAssembly?.validate(Uint8Array.from(SIMD))) {
    throw new Refused("This browser or processor cannot compute here, for it lacks WebAssembly SIMD: use a newer one.");
  }
  const response = await fetch(new URL("./styles.json", import.meta.url)).catch(() => ({ ok: false }));
  if (!response.ok) throw new Refused("The styles could not be loaded: see whether there is a connection, and reload the page.");
  return response.json();
}

/** The options of pictures, each {name: JSON Schema}. */
export const options = async () => ({
  picture: {
    ...Object.fromEntries(["style", "strength", "keep_color", "max_side", "format"].map((name) => [name, {}])),
    brush: { anyOf: [{ type: "number", minimum: 1 }, { const: "auto" }], default: "auto", description: BRUSH },
  },
  video: {},
});

/** What is taken. */
export const limits = async () => ({ max_bytes: MAX_BYTES, max_pixels: MAX_PIXELS, max_side: null, max_video_seconds: 0, formats: FORMATS });

/** Stylises one picture: {blob, name, width, height}. */
export async function picture(file, settings, signal) {
  const brush = settings.brush || "auto";
  if (brush !== "auto" && !(Number(brush) >= 1 && Number(brush) < Infinity)) {
    throw new Refused("The brush must be auto or a number of at least 1.");
  }
  const look = { ...settings, brush, max_side: Number(settings.max_side) || 0 };
  const format = settings.format || FORMATS.find((name) => file.type === `image/${name}`) || "png";
  const made = await ask({ file, settings: look, format }, signal);
  const suffix = made.blob.type === "image/jpeg" ? "jpg" : made.blob.type.split("/")[1]; // of what was written
  return { ...made, name: `${file.name.replace(/\.[^.]*$/, "")}.${settings.style}.${suffix}` };
}

/** There is no video here. */
export async function video() {
  throw new Refused("This page takes pictures; the command takes videos too: sakuga clip.mp4", 415);
}

/** A small JPEG in a style. */
export async function preview(style, small, signal) {
  const settings = { style, strength: 1, keep_color: false, brush: "auto", max_side: 0 };
  return (await ask({ file: small, settings, format: "jpeg" }, signal)).blob;
}

/** The picture to try it with. */
export async function sample() {
  const response = await fetch(new URL("./sample.jpg", import.meta.url)).catch(() => ({ ok: false }));
  if (!response.ok) throw new Refused("The sample could not be loaded: see whether there is a connection.");
  return response.blob();
}

let worker = null;
let count = 0;
const waiting = new Map(); // {resolve, reject} of each job, by its number

/** Has the worker do a job. */
function ask(job, signal) {
  worker ??= employ();
  const id = ++count;
  return new Promise((resolve, reject) => {
    const stop = () => {
      worker?.postMessage({ id, cancel: true });
      settle(id)?.reject(signal.reason);
    };
    waiting.set(id, { resolve, reject, leave: () => signal.removeEventListener("abort", stop) });
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    worker.postMessage({ id, ...job });
  });
}

function settle(id) {
  const found = waiting.get(id);
  waiting.delete(id);
  found?.leave();
  return found;
}

function employ() {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  made.onmessage = ({ data: { id, error, status, ...result } }) => {
    const job = settle(id);
    if (error) job?.reject(new Refused(error, status));
    else job?.resolve(result);
  };
  made.onerror = () => {
    made.terminate();
    worker = null; // the next job gets another one
    const reason = "The browser gave the computation up, perhaps for lack of memory: close other pages, or choose a smaller longest side.";
    for (const id of [...waiting.keys()]) settle(id).reject(new Refused(reason));
  };
  return made;
}
