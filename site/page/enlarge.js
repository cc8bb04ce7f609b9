/**
 * A picture that was stylised small, brought up to the size of its photo with the photo as guide:
 * `sakuga.stylizer.enlarge`, which says why, in the browser.
 */

import { BILINEAR, weights } from "./resample.js";
import { UNIT } from "./tiles.js";

export const [R, G, B] = [0.299, 0.587, 0.114]; // BT.601
const NOISE = 4e-3;
const GRAIN = 8 / 255;
const MAX_SLOPE = 2;
const SHARPEN = 2;
const REACH = 3;
const ROWS = 32;

/**
 * Calls `write(y, row)` for each row of the `photo`, row being (3, width) in [-1, 1], which it may change. `small`: the
 * photo reduced; `stylised`: what was made of it, its values in [-1, 1].
 */
export function enlarge(photo, small, stylised, write) {
  const { width, height } = photo;
  const columns = weights(BILINEAR, small.width, width);
  const row = new Float32Array(3 * width);
  const count = small.height;
  let y = 0;
  for (let first = 0; first < count; first += ROWS) {
    const [low, high] = [Math.max(0, first - REACH), Math.min(count, first + ROWS + 1 + REACH)];
    const rows = Math.min(ROWS + 1, count - first);
    const wide = fields(small, stylised, low, high).map((field) => widen(field, small.width, first - low, rows, columns));
    for (; y < height; y++) {
      const place = (y + 0.5) * (count / height) - 0.5;
      const above = Math.min(count - 1, Math.max(0, Math.floor(place)));
      if (above >= first + ROWS) break;
      const share = Math.min(1, Math.max(0, place - above));
      const here = (above - first) * width;
      const below = Math.min(above - first + 1, rows - 1) * width;
      combine(photo, y, wide, here, below, share, row);
      write(y, row);
    }
  }
}

/** One row of the result, of a row of the photo and two rows of the fields; plain loops, for this is most of the work. */
function combine({ width, data }, y, [reds, lights, blues, slopes, lows, highs], here, below, share, row) {
  for (let x = 0, at = 4 * y * width; x < width; x++, at += 4, here++, below++) {
    let light = lights[here] + share * (lights[below] - lights[here]);
    light += (slopes[here] + share * (slopes[below] - slopes[here])) * lumaOf(data, at);
    const low = lows[here] + share * (lows[below] - lows[here]);
    const high = highs[here] + share * (highs[below] - highs[here]);
    light = light < low ? low : light > high ? high : light;
    const red = reds[here] + share * (reds[below] - reds[here]) + light;
    const blue = blues[here] + share * (blues[below] - blues[here]) + light;
    row[x] = red;
    row[width + x] = (light - R * red - B * blue) / G; // the brightness of the three is `light`
    row[2 * width + x] = blue;
  }
}

const lumaOf = (data, at) => R * UNIT[data[at]] + G * UNIT[data[at + 1]] + B * UNIT[data[at + 2]];

/** What is enlarged, of rows `low` to `high`: red, offset, blue, slope, the lowest and the highest brightness. */
function fields(small, stylised, low, high) {
  const { width } = small;
  const size = (high - low) * width;
  const of = (make) => {
    const out = new Float32Array(size);
    for (let i = 0, at = 4 * low * width; i < size; i++, at += 4) out[i] = make(at, i);
    return out;
  };
  const mean = (values, middle) => smooth(values, width, middle);
  const photo = of((at) => lumaOf(small.data, at));
  const made = stylised.data;
  const bright = of((at) => R * made[at] + G * made[at + 1] + B * made[at + 2]);
  const average = mean(photo);
  const variance = mean(photo.map((value) => value * value)).map((value, i) => value - average[i] * average[i] + NOISE);

  /** The slope of values along the photo's brightness, and the values without grain. */
  const drawn = (values) => {
    const centre = mean(values);
    const steep = mean(photo.map((value, i) => value * values[i])).map((value, i) => (value - average[i] * centre[i]) / variance[i]);
    const offset = mean(centre.map((value, i) => value - steep[i] * average[i]));
    const slope = mean(steep);
    const clean = values.map((value, i) => {
      const line = slope[i] * photo[i] + offset[i];
      const rest = value - line;
      return line + (rest * rest * rest) / (rest * rest + GRAIN * GRAIN);
    });
    return { slope, clean };
  };
  const { slope: steep, clean: light } = drawn(bright);
  const slope = steep.map((value) => Math.min(MAX_SLOPE, Math.max(0, value)));
  const lowest = extreme(light, width, Math.min).map((value, i) => Math.min(value + GRAIN, light[i]));
  const highest = extreme(light, width, Math.max).map((value, i) => Math.max(value - GRAIN, light[i]));
  const around = mean(light, 2);
  const offset = light.map((value, i) => value + SHARPEN * (value - around[i]) - slope[i] * photo[i]);
  const colour = (c) => drawn(of((at, i) => made[at + c] - bright[i])).clean;
  return [colour(0), offset, colour(2), slope, lowest, highest];
}

/** The mean of 3x3 values, of which the middle row and column count `middle` times; the border is continued. */
const smooth = (values, width, middle = 1) =>
  threes(values, width, (first, centre, last) => (first + last + middle * centre) / (2 + middle));

const extreme = (values, width, which) =>
  threes(values, width, (first, centre, last) => which(first, centre, last));

/** Applies a function of three neighbours downwards and then across. */
function threes(values, width, of) {
  const last = values.length - width;
  const down = new Float32Array(values.length);
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    down[i] = of(values[i < width ? i : i - width], values[i], values[i >= last ? i : i + width]);
  }
  for (let row = 0; row < values.length; row += width) {
    for (let i = row, end = row + width - 1; i <= end; i++) {
      out[i] = of(down[i === row ? i : i - 1], down[i], down[i === end ? i : i + 1]);
    }
  }
  return out;
}

function widen(values, width, first, rows, columns) {
  const out = new Float32Array(rows * columns.length);
  const starts = Int32Array.from(columns, (column) => column.first);
  // Two neighbours at most: it is as wide or wider.
  const [left, right] = [0, 1].map((i) => Float64Array.from(columns, ({ values }) => values[i] ?? 0));
  const next = Int32Array.from(columns, ({ first, values }) => first + values.length - 1);
  for (let y = 0, at = 0; y < rows; y++) {
    const row = (first + y) * width;
    for (let x = 0; x < columns.length; x++) out[at++] = values[row + starts[x]] * left[x] + values[row + next[x]] * right[x];
  }
  return out;
}
