/** From pixels to stylised pixels: `sakuga.stylizer.stylizer` in the browser. A picture is {width, height, data}, RGBA. */

import { B, enlarge, G, R } from "./enlarge.js";
import { LANCZOS, reduce, resize } from "./resample.js";
import { fitted } from "./fitted.js";
import { cut, even, moved, plan, roundUp, UNIT } from "./tiles.js";

const MAX_TILE_PIXELS = 1024 ** 2; // given to the network at once, for the memory of phones
const MIN_SIDE = 64;
const AUTO_BRUSH = 1.8; // the least by which pictures are reduced on their own accord,
const BEST_BRUSH = 1.2; // and for the best quality
const SMALL = 0.8; // pictures with a finer brush are enlarged,
const FINEST_BRUSH = 0.5; // but not beyond this one
const BEST_PIXELS = 1_000_000; // what a card means that does not say it

/**
 * Stylises a picture. `style`: as session.js opens it; `look`: strength, keep_color, max_side, brush, and "best" as
 * quality where it is not a frame of a video. Rejects with what `signal` says when it is aborted between two tiles.
 */
export async function stylize(picture, style, look, signal) {
  const { width, height } = picture;
  const share = look.max_side ? look.max_side / Math.max(width, height) : 1;
  const photo = share < 1 ? resize(picture, size(width * share), size(height * share), LANCZOS, { floats: true }) : picture;
  if (look.strength === 0) return photo;
  const result = await sized(photo, style, look, signal);
  for (let at = 3; at < photo.data.length; at += 4) result.data[at] = photo.data[at];
  return result;
}

/** Stylises a photo at the size that the style is made for, or that the look asks for. */
function sized(photo, style, look, signal) {
  const { card } = style;
  if (card.size && (photo.height !== card.size[0] || photo.width !== card.size[1])) {
    return fitted(photo, card.size, (small) => whole(small, style, look, signal));
  }
  const small = card.size ? null : brushed(photo, card, look);
  return small ? atSize(photo, small, style, look, signal) : whole(photo, style, look, signal);
}

/** Whether a style paints in squares of several pixels, which the best quality averages away. */
export const inSquares = ({ receptive_field: reach, multiple, size: fixed }) => Boolean(reach) && multiple > 1 && !fixed;

/** [width, height] at which a picture is stylised where that is not its own; null where it is. */
function brushed({ width, height }, card, { brush, quality }) {
  let times = Number(brush);
  if (brush === "auto") {
    times = Math.sqrt((height * width) / (card.best_pixels ?? BEST_PIXELS));
    const best = quality === "best" && inSquares(card);
    if (best && times < SMALL) times = Math.max(times, FINEST_BRUSH);
    else if (times < (best ? BEST_BRUSH : AUTO_BRUSH)) times = 1;
  }
  const small = [size(width / times), size(height / times)];
  return small[0] === width && small[1] === height ? null : small;
}

const size = (side) => Math.max(1, even(side));

async function atSize(photo, [width, height], style, look, signal) {
  if (width * height > photo.width * photo.height) {
    const floats = { floats: true };
    const full = { ...look, strength: 1, keep_color: false };
    const large = await whole(resize(photo, width, height, LANCZOS, floats), style, full, signal);
    const drawn = resize(large, photo.width, photo.height, LANCZOS, floats);
    const all = { top: 0, left: 0, y: 0, x: 0, height: photo.height, width: photo.width };
    const result = blank(photo);
    write(cut(drawn, all), photo.width, all, photo, look, result);
    return result;
  }
  const small = reduce(photo, width, height);
  // Not in 8 bits: sharpening would double what rounding changes.
  const stylised = { ...small, data: new Float32Array(small.data.length) };
  await tiles(small, style, look, signal, (planes, stride, core) => keep(planes, stride, core, stylised));
  const result = blank(photo);
  enlarge(photo, small, stylised, (y, row) => write(row, photo.width, { width: photo.width, height: 1, top: 0, left: 0, y, x: 0 }, photo, look, result));
  return result;
}

/** Stylises every pixel of a photo at its own size. */
async function whole(photo, style, look, signal) {
  const result = blank(photo);
  await tiles(photo, style, look, signal, (planes, stride, core) => write(planes, stride, core, photo, look, result));
  return result;
}

/** Calls `write(planes, stride, core)` with what the network makes of a photo, in as many tiles as needed. */
async function tiles(photo, { card, look, run }, { quality }, signal, write) {
  const context = await look(photo);
  const best = quality === "best" && inSquares(card);
  let tile = 0;
  let margin = 0;
  if (!card.size && photo.width * photo.height > MAX_TILE_PIXELS) {
    margin = roundUp(Math.floor(card.receptive_field / 2), card.multiple);
    tile = Math.max(Math.floor(Math.sqrt(MAX_TILE_PIXELS)) - 2 * margin, MIN_SIDE);
  }
  for (const one of plan(photo.height, photo.width, { tile, margin, multiple: card.multiple, smallest: card.size ? 1 : MIN_SIDE })) {
    const piece = cut(photo, one);
    const planes = best ? await shifted(piece, one, card.multiple, run, context) : await run(piece, one.height, one.width, context);
    write(planes, one.width, one.core);
    await new Promise((resolve) => setTimeout(resolve)); // in which a message may come
    signal?.throwIfAborted();
  }
}

/** The mean of what the network makes of a tile in eight places on its grid of squares, which shows no squares. */
async function shifted(piece, tile, multiple, run, context) {
  const [half, quarter] = [Math.floor(multiple / 2), Math.floor(multiple / 4)];
  const places = [[0, 0], [0, half], [half, 0], [half, half]];
  if (quarter) places.push(...places.map(([y, x]) => [y + quarter, x + quarter]));
  const mean = new Float32Array(piece.length);
  for (const moves of places) {
    const [given, height, width] = moved(piece, tile, moves, multiple);
    const planes = await run(given, height, width, context);
    for (let c = 0, at = 0; c < 3; c++) {
      for (let y = 0; y < tile.height; y++) {
        const row = (c * height + y + moves[0]) * width + moves[1];
        for (let x = 0; x < tile.width; x++, at++) mean[at] += planes[row + x] / places.length;
      }
    }
  }
  return mean;
}

const blank = ({ width, height }) => ({ width, height, data: new Uint8ClampedArray(4 * width * height).fill(255) });

/** Mixes the `core` of planes (3, rows, `stride`) in [-1, 1] with the photo and writes it into the result. */
function write(planes, stride, core, photo, { strength, keep_color: keepColor }, { data }) {
  const area = planes.length / 3;
  for (let row = 0; row < core.height; row++) {
    let from = (core.top + row) * stride + core.left;
    let at = 4 * ((core.y + row) * photo.width + core.x);
    for (let x = 0; x < core.width; x++, from++, at += 4) {
      let [red, green, blue] = [clip(planes[from]), clip(planes[from + area]), clip(planes[from + 2 * area])];
      if (keepColor || strength < 1) {
        const [r, g, b] = [UNIT[photo.data[at]], UNIT[photo.data[at + 1]], UNIT[photo.data[at + 2]]];
        if (keepColor) {
          // Adding the difference of luma to every channel is what exchanging Y in YCbCr comes to.
          const change = R * (red - r) + G * (green - g) + B * (blue - b);
          [red, green, blue] = [clip(r + change), clip(g + change), clip(b + change)];
        }
        red = r + strength * (red - r);
        green = g + strength * (green - g);
        blue = b + strength * (blue - b);
      }
      data[at] = byte(red);
      data[at + 1] = byte(green);
      data[at + 2] = byte(blue);
    }
  }
}

/** Writes the `core` of planes (3, rows, `stride`) as values in [-1, 1], four for each pixel. */
function keep(planes, stride, core, { width, data }) {
  const area = planes.length / 3;
  for (let row = 0; row < core.height; row++) {
    let from = (core.top + row) * stride + core.left;
    let at = 4 * ((core.y + row) * width + core.x);
    for (let x = 0; x < core.width; x++, from++, at += 4) {
      for (let c = 0; c < 3; c++) data[at + c] = clip(planes[from + c * area]);
    }
  }
}

const clip = (value) => (value < -1 ? -1 : value > 1 ? 1 : value);
const byte = (value) => Math.floor(127.5 * value + 128);
