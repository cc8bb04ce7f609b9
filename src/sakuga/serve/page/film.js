/** Play, seek and sound for one or two videos that run together. */

import { make } from "./dom.js";

/** The bar of buttons for `lead`, whose sound is heard, and `follow` (or null), which is kept at the same moment. */
export function player(lead, follow) {
  for (const video of [lead, follow]) if (video) Object.assign(video, { muted: true, loop: true, playsInline: true });
  const both = (act) => [lead, follow].forEach((video) => video && act(video));
  const play = make("button", { type: "button" }, "Play");
  const sound = make("button", { type: "button", "aria-pressed": false }, "Sound");
  const seek = make("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": "Moment" });

  play.addEventListener("click", () => {
    const go = lead.paused;
    both((video) => (go ? video.play().catch(() => {}) : video.pause()));
  });
  sound.addEventListener("click", () => {
    lead.muted = !lead.muted;
    sound.setAttribute("aria-pressed", !lead.muted);
  });
  seek.addEventListener("input", () => {
    const moment = (seek.value / 1000) * (lead.duration || 0);
    both((video) => (video.currentTime = moment));
  });
  for (const name of ["play", "pause"]) {
    lead.addEventListener(name, () => (play.textContent = lead.paused ? "Play" : "Pause"));
  }
  lead.addEventListener("timeupdate", () => {
    seek.value = (1000 * lead.currentTime) / (lead.duration || 1);
    seek.setAttribute("aria-valuetext", `${lead.currentTime.toFixed(1)} s`);
    if (follow && Math.abs(follow.currentTime - lead.currentTime) > 0.06) follow.currentTime = lead.currentTime;
  });
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) both((video) => video.play().catch(() => {}));
  return make("div", { className: "player" }, play, seek, sound);
}
