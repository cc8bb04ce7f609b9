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

/**
 * A style: its card, `look(picture)`, which gives what the network takes of a whole picture (null: nothing), and `run`,
 * which gives planes (3, height, width) in [-1, 1] for planes; `given` are {data, dims} of its other inputs by name.
 */
export function style(name) {
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
  const create = (model, provider) => ort.InferenceSession.create(model, { executionProviders: [provider], ...QUIET });
  const cpu = () => create(bytes, "wasm").then(runner);
  const network = onGpu ? checked(() => create(bytes, "webgpu").then(runner), cpu) : await cpu();
  // A network of a thumbnail is not worth a way to the GPU.
  const encoder = context && (await create(fromBase64(context), "wasm").then(runner));
  return {
    card,
    look: encoder ? (picture) => encoder({ thumbnail: thumbnail(ort, picture) }) : async () => null,
    run: async (planes, height, width, context, given = {}) => {
      const others = Object.entries(given).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]);
      const photo = new ort.Tensor("float32", planes, [1, 3, height, width]);
      const { data } = await network({ [image]: photo, ...(context && { context }), ...Object.fromEntries(others) });
      return data;
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

/**
 * A runner that uses the GPU after its first result was seen to be that of the processor; where it is another one, or
 * the GPU fails, the processor computes from then on.
 */
function checked(onGpu, onCpu) {
  let [gpu, cpu] = [onGpu(), null];
  let isSure = false;
  gpu.catch(() => {}); // it is awaited below
  return async (given) => {
    try {
      const result = gpu && (await (await gpu)(given));
      if (result && isSure) return result;
      cpu ??= await onCpu();
      const target = await cpu(given);
      isSure = Boolean(result) && target.data.every((value, at) => Math.abs(value - result.data[at]) <= TOLERANCE);
      if (!isSure) gpu = null;
      return target;
    } catch (error) {
      if (!gpu) throw error;
      console.info(error); // for those who look for the reason
      gpu = null;
      cpu ??= await onCpu();
      return cpu(given);
    }
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
  const onGpu = Boolean(gpu && !gpu.info?.isFallbackAdapter);
  const [module, binary] = onGpu
    ? ["ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"]
    : ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"];
  const ort = await import(`./ort/${module}`).catch(() => offline());
  ort.env.wasm.wasmPaths = { wasm: new URL(`./ort/${binary}`, import.meta.url).href };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1;
  return { ort, onGpu };
}

async function load(path) {
  const response = await fetch(new URL(path, import.meta.url)).catch(() => offline());
  return response.ok ? response : offline();
}

function offline() {
  throw new Refused("The style could not be loaded: see whether there is a connection, and try again.");
}
