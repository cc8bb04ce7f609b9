/** The worker in which pictures are stylised, so that the page stays free: it is sent jobs and sends results. */

import { decode } from "./decode.js";
import { encode } from "./encode.js";
import { dropDefault, fromBase64, metadata } from "./onnx.js";
import { Refused } from "./refused.js";
import { BOX, resize } from "./resample.js";
import { stylize } from "./stylizer.js";

const THUMBNAIL = 64;
const QUIET = { logSeverityLevel: 3 }; // errors are sentences of ours; warnings are for those who export
const running = new Map(); // AbortController of each job that is waiting or running, by its number
const opened = new Map(); // styles, by name
let runtime = null;
let last = Promise.resolve(); // one picture at a time: two would need twice the memory and be no quicker

/** A message is {id, file, settings, format} or {id, cancel: true}; the answer {id, blob, width, height} or {id, error, status}. */
onmessage = ({ data }) => {
  if (data.cancel) return running.get(data.id)?.abort();
  running.set(data.id, new AbortController());
  last = last.then(() => answer(data));
};

async function answer({ id, file, settings, format }) {
  const { signal } = running.get(id);
  try {
    signal.throwIfAborted();
    const picture = await decode(file);
    const result = await stylize(picture, await style(settings.style), settings, signal);
    const blob = await encode(result, format);
    postMessage({ id, blob, width: result.width, height: result.height });
  } catch (error) {
    if (!signal.aborted) postMessage({ id, error: sentence(error), status: error.status ?? 0 });
  }
  running.delete(id);
}

function sentence(error) {
  if (error instanceof Refused) return error.message;
  console.info(error); // for those who look for the reason
  const memory = error instanceof RangeError || /memory|bad_alloc|allocat/i.test(error.message);
  if (memory) return "There is too little memory for this picture: choose a smaller longest side, or close other pages.";
  return `The browser could not compute it (${error.message}): reload the page, or try another browser.`;
}

/** A style by name: {card, fix(picture)}, fix(picture) being (planes, height, width) => planes for one whole picture. */
function style(name) {
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
  const { ort, providers } = await runtime;
  const bytes = new Uint8Array(await (await load(`./styles/${name}.onnx`)).arrayBuffer());
  const { sakuga, "sakuga.context": context } = metadata(bytes);
  dropDefault(bytes, "context");
  const session = await ort.InferenceSession.create(bytes, { executionProviders: providers, ...QUIET });
  // A network of a thumbnail is not worth a way to the GPU.
  const encoder = context && (await ort.InferenceSession.create(fromBase64(context), { executionProviders: ["wasm"], ...QUIET }));
  const image = session.inputNames.find((one) => one !== "context");
  const fix = async (picture) => {
    const given = encoder ? { context: await look(ort, encoder, picture) } : {};
    return async (planes, height, width) => {
      const input = new ort.Tensor("float32", planes, [1, 3, height, width]);
      const result = (await session.run({ [image]: input, ...given }, [session.outputNames[0]]))[session.outputNames[0]];
      const data = await result.getData();
      result.dispose();
      return data;
    };
  };
  return { card: JSON.parse(sakuga), fix };
}

/** What a network takes of a whole picture: what its encoder makes of a thumbnail. */
async function look(ort, encoder, picture) {
  const { data } = resize(picture, THUMBNAIL, THUMBNAIL, BOX);
  const colours = new Uint8Array(data.filter((_, at) => at % 4 < 3));
  const name = encoder.outputNames[0];
  const shape = [1, THUMBNAIL, THUMBNAIL, 3];
  return (await encoder.run({ thumbnail: new ort.Tensor("uint8", colours, shape) }, [name]))[name];
}

/** ONNX Runtime: on the GPU where there is one, else with as many threads as the headers of the page allow. */
async function start() {
  const gpu = await navigator.gpu?.requestAdapter().catch(() => null);
  const onGpu = gpu && !gpu.info?.isFallbackAdapter;
  const [module, binary] = onGpu
    ? ["ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"]
    : ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"];
  const ort = await import(`./ort/${module}`).catch(() => offline());
  ort.env.wasm.wasmPaths = { wasm: new URL(`./ort/${binary}`, import.meta.url).href };
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency || 1, 8) : 1;
  return { ort, providers: onGpu ? ["webgpu", "wasm"] : ["wasm"] };
}

async function load(path) {
  const response = await fetch(new URL(path, import.meta.url)).catch(() => offline());
  return response.ok ? response : offline();
}

function offline() {
  throw new Refused("The style could not be loaded: see whether there is a connection, and try again.");
}
