/** A short video in a style: the browser's own codecs decode and encode, Mediabunny reads and writes files and copies sound. */

import {
  ALL_FORMATS, BlobSource, BufferTarget, Conversion, getFirstEncodableVideoCodec, Input, Mp4OutputFormat, Output, QUALITY_HIGH, VideoSampleSink,
  WEBM, WebMOutputFormat,
} from "./mediabunny.min.mjs";
import { MAX_VIDEO_SECONDS } from "./limits.js";
import { Refused } from "./refused.js";
import { BOX, resize } from "./resample.js";
import { stylize } from "./stylizer.js";

const MAX_FRAME_PIXELS = 1920 * 1088;
const MP4 = { type: "video/mp4", codecs: ["avc", "vp9", "av1"], format: () => new Mp4OutputFormat({ fastStart: "in-memory" }) };
const WEB = { type: "video/webm", codecs: ["vp9", "vp8", "av1"], format: () => new WebMOutputFormat() }; // whose sound MP4 seldom has
const KEEP = 0.9; // how much of a context comes from the frames before
const SIDE = 16; // frames are compared reduced to it
const CUT = 30; // mean difference of such frames, of 255, from which on the scene is another one

/**
 * Stylises a video: {blob, width, height, remark}, an MP4 (of a WebM a WebM) with the frames, times and sound of the file.
 * `progress` is called with {status, frames, total, seconds_left}. Rejects with Refused, or with what `signal` says when it is aborted.
 */
export async function stylizeVideo(file, style, look, signal, progress) {
  const input = new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
  try {
    const { track, kind, width, height, total } = await examine(input, look.max_side, signal);
    const output = new Output({ format: kind.format(), target: new BufferTarget() });
    const codec = await getFirstEncodableVideoCodec(kind.codecs, { width, height });
    if (!codec) throw new Refused(`This browser cannot write a video of ${width}x${height}: choose another longest side.`, 415);
    const paper = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    const calm = steady(style);
    const start = performance.now();
    let frames = 0;
    progress({ status: "running", frames, total, seconds_left: null });
    const process = async (frame) => {
      frame.draw(paper, 0, 0, width, height);
      const result = await stylize(paper.getImageData(0, 0, width, height), calm, { ...look, max_side: 0 }, signal);
      paper.putImageData(new ImageData(result.data, width, height), 0, 0);
      frames += 1;
      const left = ((performance.now() - start) / 1000 / frames) * Math.max(0, total - frames);
      progress({ status: "running", frames, total, seconds_left: left });
      return paper.canvas;
    };
    const video = { codec, quality: QUALITY_HIGH, allowTransformationMetadata: false, process, processedWidth: width, processedHeight: height };
    const conversion = await Conversion.init({ input, output, tracks: "primary", video, showWarnings: false });
    if (!conversion.utilizedTracks.includes(track)) throw unreadable();
    await conversion.execute();
    const isSilent = conversion.discardedTracks.some(({ track: one }) => one.type === "audio");
    const blob = new Blob([output.target.buffer], { type: kind.type });
    return { blob, width, height, remark: isSilent ? "without its sound" : "" };
  } finally {
    input.dispose();
  }
}

/** What a file has: {track, kind, width, height, total}, with its sides as they will be. Rejects with Refused what is too much. */
async function examine(input, maxSide, signal) {
  const track = await input.getPrimaryVideoTrack().catch(() => null);
  if (!track || !(await track.canDecode())) throw unreadable();
  const seconds = await input.computeDuration();
  if (seconds > MAX_VIDEO_SECONDS) {
    throw new Refused(`The video has ${Math.ceil(seconds)} seconds; this page takes up to ${MAX_VIDEO_SECONDS}: cut it, or use the command.`, 413);
  }
  const sides = [await track.getDisplayWidth(), await track.getDisplayHeight()];
  const scale = Math.min(1, (maxSide || Infinity) / Math.max(...sides));
  // Codecs want even sides.
  const [width, height] = sides.map((side) => Math.max(2, 2 * Math.round((side * scale) / 2)));
  if (width * height > MAX_FRAME_PIXELS) {
    throw new Refused(`The video has ${width}x${height} pixels; this page takes up to 1920x1080: choose a smaller longest side.`, 422);
  }
  await checkSizes(track, signal);
  const { packetCount } = await track.computePacketStats();
  return { track, kind: (await input.getFormat()) === WEBM ? WEB : MP4, width, height, total: packetCount };
}

/** Rejects with Refused where frames change their size. Asked before the work, because the conversion brings turned frames to one. */
async function checkSizes(track, signal) {
  let first = null;
  for await (const frame of new VideoSampleSink(track).samples()) {
    const [size, at] = [`${frame.codedWidth}x${frame.codedHeight}`, frame.timestamp.toFixed(1)];
    frame.close();
    signal.throwIfAborted();
    first ??= size;
    if (size !== first) {
      throw new Refused(`The video's frames change from ${first} to ${size} at ${at} s: ffmpeg -i IN OUT.mp4 brings them to one size.`, 422);
    }
  }
}

const unreadable = () => new Refused("The file is no video that this browser can read, or it is damaged.", 415);

/** The same style for frames: what it takes of the whole picture changes slowly within a scene. */
function steady(style) {
  let before = null;
  const look = async (picture) => {
    const context = await style.look(picture);
    const small = resize(picture, SIDE, SIDE, BOX).data;
    if (context && before && distance(small, before.small) < CUT) {
      for (let i = 0; i < context.data.length; i++) context.data[i] += KEEP * (before.context.data[i] - context.data[i]);
    }
    before = { context, small };
    return context;
  };
  return { ...style, look };
}

const distance = (a, b) => a.reduce((sum, value, at) => sum + Math.abs(value - b[at]), 0) / (0.75 * a.length); // alpha is no colour
