/** What a style's network takes beside the photo: `sakuga.style.values` in the browser. */

import { decode } from "./decode.js";
import { Refused } from "./refused.js";
import { LANCZOS, resize } from "./resample.js";
import { even, roundUp, UNIT } from "./tiles.js";

const [MIN_SIDE, MAX_SIDE] = [64, 512]; // that a reference picture is brought to

/** The style with what `settings` say for its `inputs`, as styles.json describes them. Rejects with Refused. */
export async function withValues(style, inputs, settings) {
  const given = {};
  for (const input of inputs) given[input.name] = await tensor(input, settings[input.name], style.card);
  return { ...style, run: (planes, height, width, context) => style.run(planes, height, width, context, given) };
}

/** {data, dims}, of float32, of a value as a form has it; the usual one where there is none. */
async function tensor(input, value, card) {
  const said = value === undefined || value === "" ? input.default : value;
  if (input.kind === "picture" && said) return reference(await decode(said), card);
  if (said === undefined) throw new Refused(`The style needs ${input.name}, ${input.expects}.`, 422);
  const made = { choice, choices, picture: () => zeros(card) }[input.kind] ?? numbers;
  return made(input, said);
}

const floats = (values, dims) => ({ data: Float32Array.from(values), dims });
const wrong = ({ name, expects }) => new Refused(`${name} must be ${expects}.`, 422);
const listed = (value, separator) => (typeof value === "string" ? value.split(separator).map((one) => one.trim()).filter(Boolean) : value);

function choices(input, value) {
  const chosen = listed(value, ",");
  if (!chosen.every((one) => input.names.includes(one))) throw wrong(input);
  return floats(input.names.map((name) => chosen.includes(name)), [1, input.names.length]);
}

const choice = (input, value) => choices(input, [value]);

function numbers(input, value) {
  const found = [listed(value, /[\s,;]+/)].flat().map(Number);
  const { kind, size, minimum = 0, maximum = 1 } = input;
  const fits = kind === "number" ? found[0] >= minimum && found[0] <= maximum : found.length === size && found.every(Number.isFinite);
  if (!fits) throw wrong(input);
  return floats(found, kind === "number" ? [1] : [1, size]);
}

const zeros = ({ size: [height, width] = [MIN_SIDE, MIN_SIDE] }) => floats(new Float32Array(3 * height * width), [1, 3, height, width]);

/** A reference picture: its middle at the style's size, or about its own size. */
function reference(picture, { size, multiple }) {
  const scale = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  const side = (length) => roundUp(Math.max(MIN_SIDE, even((length * scale) / multiple) * multiple), multiple);
  const [height, width] = size ?? [side(picture.height), side(picture.width)];
  const { data } = resize(size ? middle(picture, height / width) : picture, width, height, LANCZOS, { floats: true });
  const area = width * height;
  const planes = floats(new Float32Array(3 * area), [1, 3, height, width]);
  for (let i = 0; i < 3 * area; i++) planes.data[i] = UNIT[data[4 * (i % area) + Math.floor(i / area)]];
  return planes;
}

/** The largest part of the middle whose height is `ratio` times its width. */
function middle({ width, height, data }, ratio) {
  const tall = Math.min(height, Math.max(1, even(width * ratio)));
  const wide = Math.min(width, Math.max(1, even(height / ratio)));
  const [top, left] = [(height - tall) >> 1, (width - wide) >> 1];
  const out = new Uint8ClampedArray(4 * tall * wide);
  for (let y = 0; y < tall; y++) {
    const from = 4 * ((top + y) * width + left);
    out.set(data.subarray(from, from + 4 * wide), 4 * y * wide);
  }
  return { width: wide, height: tall, data: out };
}
