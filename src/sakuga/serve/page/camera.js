/** Taking a picture with the camera of this device. */

import { $ } from "./dom.js";

const PROBLEMS = {
  NotAllowedError: "The browser may not use the camera: allow it in the settings of this site, or choose a picture.",
  NotFoundError: "This device has no camera: choose a picture instead.",
  NotReadableError: "Another program is using the camera: close it and try again.",
};
const dialog = $("#camera");
const video = $("video", dialog);
const take = $('[data-camera="take"]', dialog);
const turn = $('[data-camera="turn"]', dialog);
let facing = "user";

/** Calls `add(files)` with each picture taken. */
export function setUp(add) {
  $('[data-camera="close"]', dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
  take.addEventListener("click", async () => {
    add([await photograph()]);
    dialog.close();
  });
  turn.addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    start();
  });
}

/** Opens the camera; a phone that only allows it on https is sent to its own camera program. */
export function open() {
  if (!navigator.mediaDevices && matchMedia("(pointer: coarse)").matches) return $("#phone-camera").click();
  dialog.showModal();
  start();
}

async function start() {
  stop();
  problem("");
  if (!navigator.mediaDevices) {
    return problem("Browsers allow the camera only over https or on this very machine: choose a picture instead.");
  }
  try {
    const size = { width: { ideal: 1920 }, height: { ideal: 1080 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, ...size } });
    if (!dialog.open) return stream.getTracks().forEach((track) => track.stop());
    video.srcObject = stream;
    video.classList.toggle("mirror", facing === "user"); // as people know themselves; the picture is not mirrored
    await video.play();
    take.disabled = false;
    const devices = await navigator.mediaDevices.enumerateDevices();
    turn.hidden = devices.filter(({ kind }) => kind === "videoinput").length < 2;
  } catch (error) {
    if (dialog.open) problem(PROBLEMS[error.name] ?? `The camera does not start (${error.message}): choose a picture.`);
  }
}

function stop() {
  take.disabled = true;
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

function problem(sentence) {
  const place = $("#camera-problem");
  place.textContent = sentence;
  place.hidden = !sentence;
  video.hidden = Boolean(sentence);
}

async function photograph() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
  return new File([blob], `camera-${time}.jpg`, { type: "image/jpeg" });
}
