/**
 * Styles of one size on pictures of any: the picture is reduced to it, and the change brought back to its size.
 * `sakuga.stylizer.fitted`, which says why, in the browser.
 */

import { BILINEAR, LANCZOS, resize, weights } from "./resample.js";
import { even } from "./tiles.js";

const RADIUS = 2; // of the windows in which a change is taken for linear
const NOISE = 1e-3; // variance below which a window of the photo counts as flat

/** Runs what takes pictures of `size` [height, width] only on a whole photo. */
export async function fitted(photo, [tall, wide], run) {
  const scale = Math.min(tall / photo.height, wide / photo.width);
  const width = Math.max(1, Math.min(wide, even(photo.width * scale)));
  const height = Math.max(1, Math.min(tall, even(photo.height * scale)));
  const small = resize(photo, width, height, LANCZOS, { floats: true });
  const [left, top] = [(wide - width) >> 1, (tall - height) >> 1];
  const made = moved(await run(moved(small, wide, tall, -left, -top)), width, height, left, top);
  const data = new Uint8ClampedArray(photo.data.length);
  for (let c = 0; c < 3; c++) {
    const before = channel(small, c);
    const change = channel(made, c).map((value, i) => value - before[i]);
    bring(lines(before, change, width, height), small, photo, c, data);
  }
  return { width: photo.width, height: photo.height, data };
}

/** What lies at `left`, `top` of a picture that is continued by reflection. */
function moved({ width, height, data }, wide, tall, left, top) {
  const out = new Uint8ClampedArray(4 * wide * tall);
  for (let y = 0, at = 0; y < tall; y++) {
    const row = width * mirrored(top + y, height);
    for (let x = 0; x < wide; x++, at += 4) {
      const from = 4 * (row + mirrored(left + x, width));
      out.set(data.subarray(from, from + 4), at);
    }
  }
  return { width: wide, height: tall, data: out };
}

/** A place in something that is followed by itself backwards, edge by edge. */
function mirrored(place, length) {
  const turn = ((place % (2 * length)) + 2 * length) % (2 * length);
  return turn < length ? turn : 2 * length - 1 - turn;
}

const channel = ({ width, height, data }, c) => Float32Array.from({ length: width * height }, (_, i) => data[4 * i + c] / 255);

/** Slope and offset of the line nearest to the change as a function of the photo, around each value. */
function lines(photo, change, width, height) {
  const mean = (values) => box(values, width, height);
  const [average, target] = [mean(photo), mean(change)];
  const [both, square] = [mean(photo.map((value, i) => value * change[i])), mean(photo.map((value) => value * value))];
  const slope = both.map((value, i) => (value - average[i] * target[i]) / (square[i] - average[i] * average[i] + NOISE));
  return [mean(slope), mean(target.map((value, i) => value - slope[i] * average[i]))];
}

/** The mean of the values around each, continued by its border. */
function box(values, width, height) {
  const pass = (from, count, line, length, step) => {
    const out = new Float32Array(from.length);
    for (let n = 0; n < count; n++) {
      for (let place = 0; place < length; place++) {
        let sum = 0;
        for (let i = place - RADIUS; i <= place + RADIUS; i++) sum += from[n * line + step * Math.max(0, Math.min(length - 1, i))];
        out[n * line + place * step] = sum / (2 * RADIUS + 1);
      }
    }
    return out;
  };
  return pass(pass(values, width, 1, height, width), height, width, width, 1);
}

/** Writes one channel of the result: the photo with the lines, enlarged, applied to it. */
function bring(fields, small, photo, c, out) {
  const columns = weights(BILINEAR, small.width, photo.width);
  const rows = weights(BILINEAR, small.height, photo.height);
  const wide = fields.map((values) => {
    const made = new Float32Array(small.height * photo.width);
    for (let at = 0; at < made.length; at++) {
      const row = Math.floor(at / photo.width) * small.width;
      made[at] = weighted(values, columns[at % photo.width], row, 1);
    }
    return made;
  });
  for (let y = 0, at = c; y < photo.height; y++) {
    for (let x = 0; x < photo.width; x++, at += 4) {
      const [slope, offset] = wide.map((values) => weighted(values, rows[y], x, photo.width));
      out[at] = (1 + slope) * photo.data[at] + 255 * offset; // rounded and clamped by the array
    }
  }
}

function weighted(values, { first, values: shares }, start, step) {
  let sum = 0;
  for (let i = 0, at = start + first * step; i < shares.length; i++, at += step) sum += values[at] * shares[i];
  return sum;
}
