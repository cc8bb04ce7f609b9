/** A picture in: its pixels, upright, with the colours that lie under transparency, as the command sees them. */

import { MAX_PIXELS } from "./limits.js";
import { Refused } from "./refused.js";

const HEAD = 2 ** 20; // bytes in which a picture says how large it is
const BAND = 4_000_000; // pixels that are read at once: phones refuse larger canvases

/** The pixels of a file: {width, height, data}, RGBA, not premultiplied. Rejects with Refused. */
export async function decode(file) {
  const said = sizeOf(new DataView(await file.slice(0, HEAD).arrayBuffer()));
  if (said) check(...said);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: "none" });
  } catch {
    throw new Refused("The file is no picture that this browser can read, or it is damaged.", 415);
  }
  const { width, height } = bitmap;
  check(width, height);
  const data = new Uint8ClampedArray(4 * width * height);
  const rows = Math.max(1, Math.floor(BAND / width));
  const paper = new OffscreenCanvas(width, Math.min(rows, height)).getContext("2d", { willReadFrequently: true });
  for (let y = 0; y < height; y += rows) {
    paper.clearRect(0, 0, width, rows);
    paper.drawImage(bitmap, 0, -y);
    const count = Math.min(rows, height - y);
    data.set(paper.getImageData(0, 0, width, count).data, 4 * y * width);
  }
  const picture = { width, height, data };
  if (isTransparent(data)) {
    readUnder(bitmap, picture);
    bleed(picture);
  }
  bitmap.close();
  return picture;
}

function check(width, height) {
  if (width * height <= MAX_PIXELS) return;
  const millions = Math.ceil((width * height) / 1e6);
  throw new Refused(`The picture has ${millions} million pixels; this page takes up to ${MAX_PIXELS / 1e6} million: make it smaller.`, 413);
}

function isTransparent(data) {
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return true;
  return false;
}

/** Reads the pixels once more: a canvas for drawing multiplies colours by alpha, which loses most of them; this does not. */
function readUnder(bitmap, { width, height, data }) {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl || Math.max(width, height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return;
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, gl.getParameter(gl.TEXTURE_BINDING_2D), 0);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(data.buffer));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
}

/** Fills the colours of what is wholly transparent from around it: `sakuga.picture.pixels.bleed`. */
function bleed({ width, height, data }) {
  const mass = new Float32Array(width * height);
  for (let i = 0; i < mass.length; i++) mass[i] = data[4 * i + 3];
  const filled = fill(Float32Array.from(data), mass, width, height);
  for (let i = 0; i < mass.length; i++) {
    if (mass[i] === 0) for (let c = 0; c < 3; c++) data[4 * i + c] = filled[4 * i + c];
  }
}

function fill(colours, mass, width, height) {
  if (!mass.includes(0) || mass.every((one) => one === 0)) return colours;
  const [w, h] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const total = new Float32Array(4 * w * h);
  const sums = new Float32Array(w * h);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const block = (y >> 1) * w + (x >> 1);
      sums[block] += mass[i];
      for (let c = 0; c < 3; c++) total[4 * block + c] += colours[4 * i + c] * mass[i];
    }
  }
  for (let at = 0; at < total.length; at++) total[at] /= Math.max(sums[at >> 2], Number.MIN_VALUE);
  const coarse = fill(total, sums, w, h);
  // Each pixel lies a quarter of a block from its block's centre: interpolate with the next block on that side.
  const beside = (place, count) => Math.min(count - 1, Math.max(0, (place >> 1) + (place % 2) * 2 - 1));
  for (let y = 0, i = 0; y < height; y++) {
    const [near, far] = [(y >> 1) * w, beside(y, h) * w];
    for (let x = 0; x < width; x++, i++) {
      if (mass[i] !== 0) continue;
      const [here, next] = [x >> 1, beside(x, w)];
      for (let c = 0; c < 3; c++) {
        const down = (column) => 0.75 * coarse[4 * (near + column) + c] + 0.25 * coarse[4 * (far + column) + c];
        colours[4 * i + c] = 0.75 * down(here) + 0.25 * down(next);
      }
    }
  }
  return colours;
}

/** [width, height] that the head of a PNG, GIF, BMP, WebP or JPEG names, before anything is decoded; null for others. */
export function sizeOf(view) {
  const bytes = view.byteLength;
  const starts = (...values) => values.length <= bytes && values.every((value, at) => view.getUint8(at) === value);
  if (starts(0x89, 0x50, 0x4e, 0x47) && bytes >= 24) return [view.getUint32(16), view.getUint32(20)];
  if (starts(0x47, 0x49, 0x46) && bytes >= 10) return [view.getUint16(6, true), view.getUint16(8, true)];
  if (starts(0x42, 0x4d) && bytes >= 26) return [view.getInt32(18, true), Math.abs(view.getInt32(22, true))];
  if (starts(0x52, 0x49, 0x46, 0x46) && bytes >= 30) return webp(view);
  return starts(0xff, 0xd8) ? jpeg(view) : null;
}

function webp(view) {
  const kind = String.fromCharCode(view.getUint8(15));
  const three = (at) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2) + 1;
  if (kind === "X") return [three(24), three(27)];
  if (kind === " ") return [view.getUint16(26, true) & 16383, view.getUint16(28, true) & 16383];
  const bits = view.getUint32(21, true);
  return [(bits & 16383) + 1, ((bits >> 14) & 16383) + 1];
}

function jpeg(view) {
  for (let at = 2; at + 9 < view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return null;
    // SOF0 to SOF15 but DHT, JPG and DAC
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    }
  }
  return null;
}
