/**
 * Resizing as Pillow does it (Resample.c, Reduce.c), to the last bit in 8 bits, so that the network is given the pixels
 * that the command gives it. A picture is {width, height, data}, RGBA.
 */

const sinc = (x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
export const LANCZOS = { support: 3, weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) };
export const BOX = { support: 0.5, weight: (x) => (-0.5 < x && x <= 0.5 ? 1 : 0) };
export const BILINEAR = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

const ONE = 2 ** 22; // weights of 8 bits are whole numbers of this part

/** For each of `to` places the first of `from` values it depends on and their weights; `span` of the values is taken. */
export function weights(filter, from, to, span = from) {
  const scale = span / to;
  const wide = Math.max(1, scale);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - filter.support * wide + 0.5));
    const last = Math.min(from, Math.trunc(centre + filter.support * wide + 0.5));
    const values = Array.from({ length: last - first }, (_, i) => filter.weight((i + first - centre + 0.5) / wide));
    const sum = values.reduce((a, b) => a + b, 0);
    return { first, values: sum ? values.map((value) => value / sum) : values };
  });
}

const inWhole = ({ first, values }) => ({
  first,
  values: values.map((value) => Math.trunc(value * ONE + (value < 0 ? -0.5 : 0.5))),
});

/**
 * Resizes the colours of a picture; `span` [width, height] of it is taken. With `floats` alpha too, and rounded once, at
 * the end, as `sakuga.picture.arrays.resize` does.
 */
export function resize(picture, width, height, filter, { span = [picture.width, picture.height], floats = false } = {}) {
  const channels = floats ? 4 : 3;
  const [start, one] = floats ? [0, 1] : [ONE / 2, ONE];
  const found = (...lengths) => (floats ? weights(filter, ...lengths) : weights(filter, ...lengths).map(inWhole));
  const empty = (pixels) => (floats ? new Float32Array(4 * pixels) : new Uint8ClampedArray(4 * pixels).fill(255));
  const across = width !== picture.width || span[0] !== picture.width;
  const down = height !== picture.height || span[1] !== picture.height;
  let { data } = picture;

  /** Resizes each of `lines` lines, `line` values apart, of pixels that are `step` apart, into `out`. */
  const pass = (places, lines, [line, step], out, [outLine, outStep]) => {
    for (let n = 0; n < lines; n++) {
      for (let place = 0; place < places.length; place++) {
        const { first, values } = places[place];
        for (let c = 0; c < channels; c++) {
          let sum = start;
          for (let i = 0, at = n * line + first * step + c; i < values.length; i++, at += step) sum += data[at] * values[i];
          out[n * outLine + place * outStep + c] = floats ? sum : Math.floor(sum / one); // clamped by the array
        }
      }
    }
    data = out;
  };
  const places = found(picture.width, width, span[0]);
  if (across) pass(places, picture.height, [4 * picture.width, 4], empty(width * picture.height), [4 * width, 4]);
  if (down) pass(found(picture.height, height, span[1]), width, [4, 4 * width], empty(width * height), [4, 4 * width]);
  return { width, height, data: floats ? Uint8ClampedArray.from(data) : data };
}

/** Reduces a picture as `sakuga.stylizer.enlarge.reduce` does: by means of whole pixels, the rest by Lanczos. */
export function reduce(picture, width, height) {
  const whole = Math.max(1, Math.floor(Math.min(picture.width / width, picture.height / height) / 1.2));
  const span = [picture.width / whole, picture.height / whole].map(Math.fround); // as Pillow keeps a box
  return resize(whole > 1 ? means(picture, whole) : picture, width, height, LANCZOS, { span });
}

/** The mean of each whole · whole pixels, fewer at the right and below. */
function means({ width, height, data }, whole) {
  const [w, h] = [Math.ceil(width / whole), Math.ceil(height / whole)];
  const out = new Uint8ClampedArray(4 * w * h).fill(255);
  for (let y = 0; y < h; y++) {
    const bottom = Math.min(height, (y + 1) * whole);
    for (let x = 0; x < w; x++) {
      const right = Math.min(width, (x + 1) * whole);
      const count = (bottom - y * whole) * (right - x * whole);
      const factor = Math.floor(2 ** 24 / count);
      for (let c = 0; c < 3; c++) {
        let sum = Math.floor(count / 2);
        for (let row = y * whole; row < bottom; row++) {
          for (let at = 4 * (row * width + x * whole) + c, end = 4 * (row * width + right); at < end; at += 4) sum += data[at];
        }
        out[4 * (y * w + x) + c] = Math.floor((sum * factor) / 2 ** 24);
      }
    }
  }
  return { width: w, height: h, data: out };
}
