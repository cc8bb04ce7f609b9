/** A picture out: PNG to the last bit, JPEG and WebP by the browser. */

import { crc32 } from "./zip.js";

const QUALITY = 0.95;

/** The bytes of a picture in "png", "jpeg" or "webp", as a Blob; in PNG where the browser cannot write the other. */
export function encode(picture, format) {
  return format === "png" ? png(picture) : byBrowser(picture, format);
}

async function byBrowser({ width, height, data }, format) {
  const canvas = new OffscreenCanvas(width, height);
  const paper = canvas.getContext("2d");
  paper.putImageData(new ImageData(data, width, height), 0, 0);
  if (format === "jpeg") {
    // On white where it is transparent.
    paper.globalCompositeOperation = "destination-over";
    paper.fillStyle = "white";
    paper.fillRect(0, 0, width, height);
  }
  return canvas.convertToBlob({ type: `image/${format}`, quality: QUALITY });
}

/** A PNG: what the browser writes has been multiplied by alpha, and this has not. */
async function png({ width, height, data }) {
  let isOpaque = true;
  for (let at = 3; at < data.length && isOpaque; at += 4) isOpaque = data[at] === 255;
  const channels = isOpaque ? 3 : 4;
  const rows = new Uint8Array(height * (1 + width * channels));
  for (let y = 0, at = 0, from = 0; y < height; y++) {
    rows[at++] = 1; // filter 1: the difference to the pixel on the left
    for (let x = 0; x < width; x++, from += 4) {
      for (let c = 0; c < channels; c++) rows[at++] = data[from + c] - (x ? data[from + c - 4] : 0);
    }
  }
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, isOpaque ? 2 : 6);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  const chunks = [["IHDR", new Uint8Array(header.buffer)], ["IDAT", new Uint8Array(await packed.arrayBuffer())], ["IEND", new Uint8Array()]];
  return new Blob([signature, ...chunks.map(([kind, content]) => chunk(kind, content))], { type: "image/png" });
}

function chunk(kind, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(kind), 4);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, crc32(bytes.subarray(4, content.length + 8)));
  return bytes;
}
