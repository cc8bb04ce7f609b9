/** A picture cut into tiles with margins: `sakuga.stylizer.tiles` in the browser. */

/**
 * Tiles of nearly equal size that cover a picture once: {top, left, height, width} of what the network is given (with
 * what `cut` adds below and on the right), and `core`, the part of its result to keep: {top, left, height, width, y, x},
 * y and x being where that belongs.
 */
export function* plan(height, width, { tile = 0, margin = 0, multiple, smallest }) {
  const [down, across] = [height, width].map((length) => along(length, tile, margin, multiple, smallest));
  for (const y of down) {
    for (const x of across) {
      const core = { top: y.keep, left: x.keep, height: y.kept, width: x.kept, y: y.start, x: x.start };
      yield { top: y.low, left: x.low, height: y.given, width: x.given, core };
    }
  }
}

function along(length, tile, margin, multiple, smallest) {
  const full = roundUp(Math.max(length, smallest), multiple);
  const step = roundUp(Math.ceil(full / Math.ceil(full / (tile || full))), multiple);
  margin = roundUp(margin, multiple);
  const found = [];
  for (let start = 0; start < length; start += step) {
    const stop = Math.min(start + step, length);
    const low = Math.max(0, start - margin);
    const high = Math.min(start + step + margin, full);
    found.push({ low, given: high - low, keep: start - low, kept: stop - start, start });
  }
  return found;
}

/** The nearest whole number, of two the even one. */
export function even(value) {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 ? near - 1 : near;
}

/** The least multiple that is no less. */
export const roundUp = (n, multiple) => Math.ceil(n / multiple) * multiple;

/** What 8 bits are in [-1, 1]. */
export const UNIT = Float32Array.from({ length: 256 }, (_, value) => Math.fround(value * Math.fround(2 / 255)) - 1);

/** A tile of a picture as the network takes it, (3, height, width) in [-1, 1], continued by reflection. */
export function cut({ width, height, data }, tile) {
  const area = tile.height * tile.width;
  const planes = new Float32Array(3 * area);
  const columns = Array.from({ length: tile.width }, (_, x) => 4 * reflected(tile.left + x, width));
  for (let y = 0, at = 0; y < tile.height; y++) {
    const row = 4 * width * reflected(tile.top + y, height);
    for (let x = 0; x < tile.width; x++, at++) {
      const from = row + columns[x];
      planes[at] = UNIT[data[from]];
      planes[at + area] = UNIT[data[from + 1]];
      planes[at + 2 * area] = UNIT[data[from + 2]];
    }
  }
  return planes;
}

/** Planes (3, height, width), moved down and across by less than `multiple` and continued by reflection to one more. */
export function moved(planes, { height, width }, [down, across], multiple) {
  const to = { height: height + (down && multiple), width: width + (across && multiple) };
  const result = new Float32Array(3 * to.height * to.width);
  for (let c = 0, at = 0; c < 3; c++) {
    for (let y = 0; y < to.height; y++) {
      const row = (c * height + reflected(Math.abs(y - down), height)) * width;
      for (let x = 0; x < to.width; x++, at++) result[at] = planes[row + reflected(Math.abs(x - across), width)];
    }
  }
  return [result, to.height, to.width];
}

function reflected(place, length) {
  if (place < length || length === 1) return length === 1 ? 0 : place;
  const turn = place % (2 * length - 2);
  return turn < length ? turn : 2 * length - 2 - turn;
}
