/** A moment of a video as a picture. */

import { make } from "./dom.js";

/** A video element that shows its first moment and can be drawn. */
export function frame(url) {
  return new Promise((resolve, reject) => {
    const video = make("video", { muted: true, preload: "auto", onerror: reject, onseeked: () => resolve(video) });
    video.onloadeddata = () => (video.currentTime = Math.min(0.1, video.duration / 2));
    video.src = url;
  });
}
