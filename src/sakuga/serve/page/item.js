/** One file that the user gave, what became of it, and every object URL made for it. */

import { picture } from "./engine.js";

const PREVIEW = { format: "webp", max_side: 1600 };
let count = 0;

export class Item {
  /**
   * `status`: waiting, running, done, failed or cancelled; `note` explains it in a sentence. `tried`: the settings, as
   * text, of the last attempt. `result`: of the last success, {blob, url, name, style,
   * settings, width, height, seconds}.
   */
  constructor(file, isVideo) {
    Object.assign(this, { id: ++count, file, isVideo, status: "waiting", note: "", tried: null, result: null });
    this.job = null; // of a video: frames, total, seconds_left
    this.refused = false; // by this page: it is not worth sending
    this.hopeless = false; // by the server, which will say the same again
    this.abort = null;
    this.revealed = false;
    this.views = {};
    this.previews = new Map(); // URL of a small copy in each style, by its name
    this.urls = new Set();
  }

  /** Takes a new result in the place of the old one. */
  finish(result) {
    this.drop(this.result?.url);
    if (this.views.after) this.views.after.then((view) => this.drop(view?.url));
    delete this.views.after;
    this.result = { ...result, url: this.url(result.blob) };
  }

  /**
   * What the browser can show of one side, "before" or "after": {url, width, height, reduced}, or null. Of a picture in
   * a format that it does not know, the server makes a reduced copy in one that it does.
   */
  view(side) {
    this.views[side] ??= this.isVideo ? this.#film(side) : this.#still(side);
    return this.views[side];
  }

  release() {
    this.abort?.abort();
    for (const url of this.urls) this.drop(url);
    for (const view of Object.values(this.views)) view.then((late) => this.drop(late?.url));
  }

  url(blob) {
    const url = URL.createObjectURL(blob);
    this.urls.add(url);
    return url;
  }

  drop(url) {
    if (this.urls.delete(url)) URL.revokeObjectURL(url);
  }

  #own(side) {
    return side === "before" ? this.url(this.file) : this.result.url;
  }

  async #still(side) {
    const url = this.#own(side);
    const size = await measure(url);
    if (size) return { url, ...size, reduced: false };
    if (side === "before") this.drop(url);
    // Before there is a result nobody knows whether the server can read the file; ask again then.
    if (!this.result) return (delete this.views.before, null);
    const { settings } = this.result;
    try {
      // At strength 0 what the server gives back is the original.
      const copy = await picture(this.file, { ...settings, ...PREVIEW, ...(side === "before" && { strength: 0 }) });
      return { url: this.url(copy.blob), width: copy.width, height: copy.height, reduced: true };
    } catch {
      return null;
    }
  }

  async #film(side) {
    const url = this.#own(side);
    const video = document.createElement("video");
    video.preload = "metadata";
    video.src = url;
    await new Promise((resolve) => (video.onloadedmetadata = video.onerror = resolve));
    return video.videoWidth ? { url, width: video.videoWidth, height: video.videoHeight, reduced: false } : null;
  }
}

async function measure(url) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return { width: image.naturalWidth, height: image.naturalHeight };
}
