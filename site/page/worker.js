/** The worker in which pictures and videos are stylised, so that the page stays free: it is sent jobs and sends results. */

import { decode } from "./decode.js";
import { encode } from "./encode.js";
import { Refused } from "./refused.js";
import { style } from "./session.js";
import { stylize } from "./stylizer.js";
import { withValues } from "./values.js";

const running = new Map(); // AbortController of each job that is waiting or running, by its number
let last = Promise.resolve(); // one at a time: two would need twice the memory and be no quicker

/**
 * A message is {id, file, settings, inputs, format}, without a format for a video, or {id, cancel: true}; the answer
 * {id, blob, width, height} or {id, error, status}, and before that of a video {id, progress}. `inputs` are those of the
 * style as styles.json describes them.
 */
onmessage = ({ data }) => {
  if (data.cancel) return running.get(data.id)?.abort();
  running.set(data.id, new AbortController());
  last = last.then(() => answer(data));
};

async function answer({ id, file, settings, inputs, format }) {
  const { signal } = running.get(id);
  try {
    signal.throwIfAborted();
    const chosen = await withValues(await style(settings.style), inputs, settings);
    const knows = settings.strength > 0 && inputs.some(({ name }) => name === "strength"); // then the network does less
    const look = knows ? { ...settings, strength: 1 } : settings;
    const made = await (format ? picture(file, chosen, look, format, signal) : video(id, file, chosen, look, signal));
    postMessage({ id, ...made });
  } catch (error) {
    if (!signal.aborted) postMessage({ id, error: sentence(error), status: error.status ?? 0 });
  }
  running.delete(id);
}

async function picture(file, chosen, settings, format, signal) {
  const result = await stylize(await decode(file), chosen, settings, signal);
  return { blob: await encode(result, format), width: result.width, height: result.height };
}

async function video(id, file, chosen, settings, signal) {
  const { stylizeVideo } = await import("./video.js"); // most visits need none
  return stylizeVideo(file, chosen, settings, signal, (progress) => postMessage({ id, progress }));
}

function sentence(error) {
  if (error instanceof Refused) return error.message;
  console.info(error); // for those who look for the reason
  const memory = error instanceof RangeError || /memory|bad_alloc|allocat/i.test(error.message);
  if (memory) return "There is too little memory for this file: choose a smaller longest side, or close other pages.";
  return `The browser could not compute it (${error.message}): reload the page, or try another browser.`;
}
