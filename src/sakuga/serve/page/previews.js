/** The pictures in the list of styles: the photo or video that is shown, small, in every style. */

import { $, make } from "./dom.js";
import * as engine from "./engine.js";
import { frame } from "./still.js";

const SIDE = 256; // pixels of the longer side: what a sharp screen shows, in some hundredths of a second
let shown = null;
let abort = new AbortController();

/** Shows an item in every style, one after the other; what was going on for another one is given up. */
export async function show(item) {
  const cards = document.querySelectorAll("#styles .style");
  if (item === shown || !cards.length) return;
  abort.abort();
  const { signal } = (abort = new AbortController());
  shown = item;
  const small = item && (await reduced(item).catch(() => null));
  if (signal.aborted) return;
  if (item && !small) shown = null; // the server may have a copy of it later
  $("#shown-on").textContent = small ? `on ${item.file.name}` : "";
  for (const card of cards) card.classList.toggle("stale", Boolean(small)); // until its picture is replaced
  for (const card of cards) {
    const { value: style } = $("input", card);
    const image = $("img", card);
    image.dataset.sample ??= image.src;
    const url = small && (await preview(item, style, small, signal));
    if (signal.aborted) return;
    image.src = url || image.dataset.sample;
    card.classList.remove("stale");
  }
}

/** The URL of an item's preview, which the item keeps; "" where there is none. */
async function preview(item, style, small, signal) {
  if (!item.previews.has(style)) {
    try {
      item.previews.set(style, item.url(await engine.preview(style, small, signal)));
    } catch {
      return ""; // the style asks for more than a picture, or the server for patience
    }
  }
  return item.previews.get(style);
}

/** A small JPEG of an item, of a video's first moment; null where the browser cannot show it. */
async function reduced(item) {
  const view = await item.view("before");
  if (!view) return null;
  const source = item.isVideo ? await frame(view.url) : make("img", { src: view.url });
  if (!item.isVideo) await source.decode();
  const scale = Math.min(1, SIDE / Math.max(view.width, view.height));
  const [width, height] = [view.width, view.height].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = make("canvas", { width, height });
  const paper = canvas.getContext("2d");
  paper.fillStyle = "white";
  paper.fillRect(0, 0, width, height);
  paper.imageSmoothingQuality = "high";
  paper.drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
