/**
 * Which item is stylised when: the picture that is shown first, then the others in order; two pictures and one video at a time.
 * A picture needs it when its last attempt was with other settings than those of now; a video, which takes
 * longer, only when asked for.
 */

import { picture, video } from "./engine.js";
import { Refused } from "./refused.js";

const SLOTS = { picture: 2, video: 1 };

/** Settings as text, of which files that differ make a difference. */
export const asText = (settings) =>
  JSON.stringify(settings, (_, value) => (value instanceof File ? [value.name, value.size, value.lastModified] : value));

export class Scheduler {
  /**
   * `current()`: the item that is shown; `settings(isVideo)`: the form fields of now; `changed(item)` is called at every
   * change.
   */
  constructor({ items, current, settings, changed }) {
    Object.assign(this, { items, current, settings, changed });
  }

  /** Starts whatever is waiting and has room; called after every change of the items or the settings. */
  pump() {
    if (!this.settings(false).style) return;
    for (const item of this.items) {
      if (!item.isVideo && !item.refused && item.tried !== this.key(item)) this.stop(item, "waiting");
    }
    const first = this.current();
    for (const item of [first, ...this.items.filter((other) => other !== first)]) {
      if (item?.status === "waiting" && this.#room(item)) this.#run(item);
    }
  }

  /** Stylises the item anew, whatever came of it before. */
  again(item) {
    this.stop(item, "waiting");
    this.pump();
  }

  /** Gives the item up, with `status` from now on. */
  stop(item, status) {
    item.abort?.abort();
    item.abort = null;
    if (item.status === status) return;
    Object.assign(item, { status, note: "", job: null });
    this.changed(item);
  }

  /** The settings that a result of this item depends on, as text. */
  key(item) {
    return asText(this.settings(item.isVideo));
  }

  #room(item) {
    const busy = this.items.filter((other) => other.isVideo === item.isVideo && other.status === "running");
    return busy.length < SLOTS[item.isVideo ? "video" : "picture"];
  }

  async #run(item) {
    const settings = this.settings(item.isVideo);
    const { signal } = (item.abort = new AbortController());
    const tell = (news) => {
      if (signal.aborted) return; // a later attempt has taken over
      Object.assign(item, news);
      this.changed(item);
    };
    const busy = (seconds) => tell({ note: `The server is busy: asking again in ${Math.ceil(seconds)} s.` });
    tell({ status: "running", note: "", hopeless: false, tried: asText(settings) });
    const start = performance.now();
    const finish = (made) =>
      item.finish({ ...made, settings, style: settings.style, seconds: (performance.now() - start) / 1000 });
    const first = (made) => {
      if (signal.aborted) return;
      finish(made);
      tell({ note: "A first look, refining …" });
    };
    try {
      const made = item.isVideo
        ? await video(item.file, settings, signal, busy, (job) => tell({ job, note: "" }))
        : await picture(item.file, settings, signal, busy, first);
      if (signal.aborted) return;
      finish(made);
      tell({ status: "done", note: "", job: null });
    } catch (error) {
      if (!(error instanceof Refused) && error.name !== "AbortError") console.error(error);
      tell({ status: "failed", note: error.message, hopeless: error.hopeless ?? false, job: null });
    }
    this.pump();
  }
}
