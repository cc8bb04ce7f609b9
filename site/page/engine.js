/**
 * The engine of the page without a server: a worker in this browser. It exports what `sakuga.serve`'s engine does, of
 * which the page uses either.
 */

import { MAX_BYTES, MAX_PIXELS, MAX_VIDEO_SECONDS } from "./limits.js";
import { Refused } from "./refused.js";

// A function of one instruction for vectors (i8x16.popcnt): what ONNX Runtime is built of.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
const FORMATS = ["jpeg", "png", "webp"];
const VIDEO_FORMATS = ["mp4", "m4v", "mov", "webm", "mkv"];
const HAS_CODECS = "VideoDecoder" in globalThis && "VideoEncoder" in globalThis;
const BRUSH =
  "Width of the brush: each of the network's pixels covers so many of the picture's, 1 or more; auto: large pictures are stylised at about one megapixel.";

export const promise = "Pictures stay on this device: this page computes by itself, without a server, also without a network.";

let known = []; // the styles, as styles.json lists them

/** The styles there are. */
export async function styles() {
  if (!globalThis.WebAssembly?.validate(Uint8Array.from(SIMD))) {
    throw new Refused("This browser or processor cannot compute here, for it lacks WebAssembly SIMD: use a newer one.");
  }
  const response = await fetch(new URL("./styles.json", import.meta.url)).catch(() => ({ ok: false }));
  if (!response.ok) throw new Refused("The styles could not be loaded: see whether there is a connection, and reload the page.");
  return (known = await response.json());
}

/** The options of pictures and of videos, each {name: JSON Schema}. */
export async function options() {
  const brush = { anyOf: [{ type: "number", minimum: 1 }, { const: "auto" }], default: "auto", description: BRUSH };
  const both = { style: {}, strength: {}, keep_color: {}, max_side: {}, brush };
  return { picture: { ...both, format: {} }, video: both };
}

/** What is taken. */
export const limits = async () => ({
  max_bytes: MAX_BYTES,
  max_pixels: MAX_PIXELS,
  max_side: null,
  formats: FORMATS,
  max_video_bytes: MAX_BYTES,
  max_video_seconds: HAS_CODECS ? MAX_VIDEO_SECONDS : 0,
  video_formats: VIDEO_FORMATS,
});

/**
 * Stylises one picture: {blob, name, width, height}. `first(made)` is called with a quick one before, for this can take
 * more than ten seconds on a phone.
 */
export async function picture(file, settings, signal, _, first) {
  const format = settings.format || FORMATS.find((name) => file.type === `image/${name}`) || "png";
  const made = await ask({ file, settings: { ...look(settings), quality: "best" }, format }, signal, first);
  return { ...made, name: named(file, settings, made.blob) };
}

/** Stylises one video: {blob, name, width, height, remark}. `progress(job)` is called with the job as it goes on. */
export async function video(file, settings, signal, _, progress) {
  if (!HAS_CODECS) {
    throw new Refused("This browser cannot take videos apart, for it lacks WebCodecs: use a newer one, or the command.", 415);
  }
  progress({ status: "running" });
  const made = await ask({ file, settings: look(settings) }, signal, progress);
  return { ...made, name: named(file, settings, made.blob) };
}

/** The settings as stylizer.js takes them. */
function look(settings) {
  const brush = settings.brush || "auto";
  if (brush !== "auto" && !(Number(brush) >= 1 && Number(brush) < Infinity)) {
    throw new Refused("The brush must be auto or a number of at least 1.");
  }
  return { ...settings, brush, max_side: Number(settings.max_side) || 0 };
}

function named(file, { style }, { type }) {
  const suffix = type === "image/jpeg" ? "jpg" : type.split("/")[1]; // of what was written
  return `${file.name.replace(/\.[^.]*$/, "")}.${style}.${suffix}`;
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

const workers = { picture: null, video: null }; // a video takes minutes, in which pictures do not wait
const waiting = new Map(); // {kind, progress, resolve, reject, leave} of each job, by its number
let count = 0;

/** Has a worker do a job: a picture's has a format. */
function ask(job, signal, progress) {
  const kind = job.format ? "picture" : "video";
  const worker = (workers[kind] ??= employ(kind));
  const id = ++count;
  return new Promise((resolve, reject) => {
    const stop = () => {
      worker.postMessage({ id, cancel: true });
      settle(id)?.reject(signal.reason);
    };
    waiting.set(id, { kind, progress, resolve, reject, leave: () => signal.removeEventListener("abort", stop) });
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    const { inputs } = known.find(({ name }) => name === job.settings.style);
    worker.postMessage({ id, inputs, ...job });
  });
}

function settle(id) {
  const found = waiting.get(id);
  waiting.delete(id);
  found?.leave();
  return found;
}

function employ(kind) {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  made.onmessage = ({ data: { id, progress, error, status, ...result } }) => {
    if (progress) return waiting.get(id)?.progress?.(progress);
    const job = settle(id);
    if (error) job?.reject(new Refused(error, status));
    else job?.resolve(result);
  };
  made.onerror = () => {
    made.terminate();
    workers[kind] = null; // the next job gets another one
    const reason = "The browser gave the computation up, perhaps for lack of memory: close other pages, or choose a smaller longest side.";
    for (const [id, job] of [...waiting]) if (job.kind === kind) settle(id).reject(new Refused(reason));
  };
  return made;
}
