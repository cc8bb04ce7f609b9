/** The worker in which pictures and videos are stylised, so that the page stays free: it is sent jobs and sends results. */

import { decode } from "./decode.js";
import { encode } from "./encode.js";
import { Refused } from "./refused.js";
import { BOX, resize } from "./resample.js";
import { style } from "./session.js";
import { inSquares, stylize } from "./stylizer.js";
import { withValues } from "./values.js";

const FIRST_SIDE = 1600; // pixels of the longer side of a first look: what a screen shows
const running = new Map(); // AbortController of each job that is waiting or running, by its number
let last = Promise.resolve(); // one at a time: two would need twice the memory and be no quicker

/**
 * A message is {id, file, settings, inputs, format}, without a format for a video, or {id, cancel: true}; the answer
 * {id, blob, width, height} or {id, error, status}, and before that {id, progress}: of a picture a first look, {blob,
 * width, height}. `inputs` are those of the style as styles.json describes them.
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
    const made = await (format ? picture(id, file, chosen, look, format, signal) : video(id, file, chosen, look, signal));
    postMessage({ id, ...made });
  } catch (error) {
    if (!signal.aborted) postMessage({ id, error: sentence(error), status: error.status ?? 0 });
  }
  running.delete(id);
}

async function picture(id, file, chosen, settings, format, signal) {
  const photo = await decode(file);
  const under = chosen.card.underpainting && (await style(chosen.card.underpainting));
  const made = async (given, look) => {
    const ground = under ? await stylize(given, under, { ...look, keep_color: true }, signal) : given;
    const result = await stylize(ground, chosen, look, signal);
    return { blob: await encode(result, format), width: result.width, height: result.height };
  };
  if (settings.quality === "best" && inSquares(chosen.card) && settings.strength > 0) {
    // Painted once, not eight times, and no larger than a screen; but a brush that the user chose is in pixels.
    const small = settings.brush === "auto" ? reduced(photo) : photo;
    postMessage({ id, progress: await made(small, { ...settings, quality: "fast" }) });
  }
  return made(photo, settings);
}

/** A picture no larger than FIRST_SIDE, by the filter that takes least time. */
function reduced(photo) {
  const share = FIRST_SIDE / Math.max(photo.width, photo.height);
  if (share >= 1) return photo;
  const [width, height] = [photo.width, photo.height].map((side) => Math.max(1, Math.round(side * share)));
  return resize(photo, width, height, BOX, { floats: true });
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
