/** Styles in ONNX Runtime: {card, look(picture), run(planes, height, width, context, given)} by name. */

import { dropDefault, fromBase64, metadata } from "./onnx.js";
import { Refused } from "./refused.js";
import { BOX, resize } from "./resample.js";

const THUMBNAIL = 64;
const QUIET = { logSeverityLevel: 3 }; // errors are sentences of ours; warnings are for those who export
const TOLERANCE = 2 / 127.5; // of results on the GPU, in [-1, 1]: two of 255
const PHOTO_ALONE = [{ name: "image", kind: "picture" }]; // what a card means that lists no inputs
const opened = new Map(); // promises of styles, by name
let runtime = null;
let gpuFailed = false;

/**
 * A style: its card, `look(picture)`, which gives what the network takes of a whole picture (null: nothing), and `run`,
 * which gives planes (3, height, width) in [-1, 1] for planes; `given` are {data, dims} of its other inputs by name.
 */
export async function style(name) {
  return {
    card: await using(name, ({ card }) => card),
    look: (picture) => using(name, ({ look }) => look(picture)),
    run: (...given) => using(name, ({ run }) => run(...given)),
  };
}

/**
 * What `use` gives for a style; where the GPU fails, the processor computes from then on, in a runtime of its own: that
 * of a failed GPU may never answer again.
 */
async function using(name, use) {
  try {
    return await use(await current(name));
  } catch (error) {
    if (error instanceof Refused || !(await runtime)?.onGpu) throw error;
    console.info(error); // for those who look for the reason
    gpuFailed = true;
    runtime = null;
    opened.clear();
    return use(await current(name));
  }
}

function current(name) {
  if (!opened.has(name)) {
    const coming = open(name);
    coming.catch(() => opened.delete(name)); // another attempt may have more luck
    opened.set(name, coming);
  }
  return opened.get(name);
}

async function open(name) {
  runtime ??= start();
  runtime.catch(() => (runtime = null));
  const { ort, onGpu } = await runtime;
  const bytes = new Uint8Array(await (await load(`./styles/${name}.onnx`)).arrayBuffer());
  const { sakuga, "sakuga.context": context } = metadata(bytes);
  dropDefault(bytes, "context");
  const card = JSON.parse(sakuga);
  const { name: image } = (card.inputs ?? PHOTO_ALONE).find(({ kind }) => kind === "picture");
  const create = async (model, provider) =>
    runner(await ort.InferenceSession.create(model, { executionProviders: [provider], ...QUIET }));
  const network = onGpu ? checked(await create(bytes, "webgpu"), () => create(bytes, "wasm")) : await create(bytes, "wasm");
  // A network of a thumbnail is not worth a way to the GPU.
  const encoder = context && (await create(fromBase64(context), "wasm"));
  return {
    card,
    look: encoder ? (picture) => encoder({ thumbnail: thumbnail(ort, picture) }) : async () => null,
    run: async (planes, height, width, context, given = {}) => {
      const all = { [image]: { data: planes, dims: [1, 3, height, width] }, ...given, ...(context && { context }) };
      const tensors = Object.entries(all).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]);
      return (await network(Object.fromEntries(tensors))).data;
    },
  };
}

/** A function from what a network takes, by name, to its first result, on the CPU. */
function runner(session) {
  const [output] = session.outputNames;
  return async (given) => {
    const result = (await session.run(given, [output]))[output];
    await result.getData(true); // from the GPU, where it is freed
    return result;
  };
}

/** A runner on the GPU, which fails where its first result is not that of the processor. */
function checked(onGpu, create) {
  let isSure = false;
  return async (given) => {
    const result = await onGpu(given);
    if (isSure) return result;
    const target = await (await create())(given);
    isSure = target.data.every((value, at) => Math.abs(value - result.data[at]) <= TOLERANCE);
    if (!isSure) throw new Error("The GPU computes something else than the processor.");
    return result;
  };
}

function thumbnail(ort, picture) {
  const { data } = resize(picture, THUMBNAIL, THUMBNAIL, BOX);
  const colours = new Uint8Array(data.filter((_, at) => at % 4 < 3));
  return new ort.Tensor("uint8", colours, [1, THUMBNAIL, THUMBNAIL, 3]);
}

/** ONNX Runtime: for the GPU where there is one, and with as many threads as the headers of the page allow. */
async function start() {
  const gpu = await navigator.gpu?.requestAdapter().catch(() => null);
  // What it needs is kept once it was used: without a network it can be missing, and the processor computes.
  const suits = gpu && !gpu.info?.isFallbackAdapter && !gpuFailed;
  const forGpu = suits && (await runtimeForGpu().catch(() => null));
  const ort = forGpu || (await import("./ort/ort.wasm.bundle.min.mjs").catch(() => offline()));
  if (!forGpu) ort.env.wasm.wasmPaths = { wasm: new URL("./ort/ort-wasm-simd-threaded.wasm", import.meta.url).href };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1;
  return { ort, onGpu: Boolean(forGpu) };
}

async function runtimeForGpu() {
  const binary = load("./ort/ort-wasm-simd-threaded.asyncify.wasm").then((response) => response.arrayBuffer());
  const [ort, wasmBinary] = await Promise.all([import("./ort/ort.webgpu.bundle.min.mjs"), binary]);
  Object.assign(ort.env.wasm, { wasmBinary });
  return ort;
}

async function load(path) {
  const response = await fetch(new URL(path, import.meta.url)).catch(() => offline());
  return response.ok ? response : offline();
}

function offline() {
  throw new Refused("The style could not be loaded: see whether there is a connection, and try again.");
}
