/** The page: what is in the list, what is shown, and what happens at a click. */

import * as camera from "./camera.js";
import * as controls from "./controls.js";
import { $, bytes, say } from "./dom.js";
import * as engine from "./engine.js";
import * as intake from "./intake.js";
import { Item } from "./item.js";
import * as previews from "./previews.js";
import * as rows from "./rows.js";
import { asText, Scheduler } from "./scheduler.js";
import * as stage from "./stage.js";
import { zip } from "./zip.js";

const items = [];
let current = null;
let limits = {};

const scheduler = new Scheduler({ items, current: () => current, settings: controls.settings, changed });
const act = {
  title: controls.title,
  pick: (item) => (pick(item), inSight()),
  again: (item) => scheduler.again(item),
  cancel: (item) => (scheduler.stop(item, "cancelled"), scheduler.pump()),
  remove,
};

function add(files) {
  const added = files.map((file) => new Item(file, isVideo(file)));
  if (!added.length) return;
  const isHidden = $("#empty").contains(document.activeElement); // soon, with the button that was pressed
  items.push(...added);
  for (const item of added) refuse(item);
  pick(added[0]);
  inSight();
  if (isHidden) $("#rows .pick").focus({ preventScroll: true });
  say(added.length > 1 ? `${added.length} files added` : `${added[0].file.name} added`);
}

/** Says at once what the server would say after the upload. */
function refuse(item) {
  const most = item.isVideo ? limits.max_video_bytes : limits.max_bytes;
  const { size } = item.file;
  if (!size) fail(item, "The file is empty, or a folder.");
  else if (most && size > most) fail(item, `The file has ${bytes(size)}; this page takes up to ${bytes(most)}.`);
}

function fail(item, note) {
  Object.assign(item, { status: "failed", note, refused: true });
}

function isVideo({ name, type }) {
  const suffix = name.toLowerCase().split(".").pop();
  const known = (limits.video_formats ?? []).map((format) => format.toLowerCase().replace(/^\./, ""));
  return type.startsWith("video/") || known.includes(suffix);
}

function pick(item) {
  current = item;
  scheduler.pump();
  draw();
}

/** From far down in a long list the picture would change unseen. */
function inSight() {
  $("#stage").scrollIntoView({ block: "nearest" });
}

function remove(item) {
  const place = items.indexOf(item);
  items.splice(place, 1);
  item.release();
  pick(item === current ? (items[place] ?? items[place - 1] ?? null) : current);
  say(`${item.file.name} removed`);
  // The button that had the focus is gone.
  (document.querySelectorAll("#rows .pick")[Math.min(place, items.length - 1)] ?? $("#empty button")).focus();
}

function changed(item) {
  if (item.status === "done") say(`${item.file.name} is ready`);
  if (item.status === "failed") say(`${item.file.name}: ${item.note}`);
  draw();
}

function draw() {
  const stale = (item) => Boolean(item.result) && asText(item.result.settings) !== scheduler.key(item);
  rows.update(items, current, act, stale);
  document.body.classList.toggle("filled", items.length > 0);
  stage.show(current, controls.title);
  previews.show(current);
  const done = items.filter((item) => item.status === "done");
  const save = $("#save");
  const ready = current?.status === "done";
  save.setAttribute("aria-disabled", !ready);
  if (ready) Object.assign(save, { href: current.result.url, download: current.result.name });
  else save.removeAttribute("href");
  $("#share").hidden = !(ready && navigator.canShare?.({ files: [asFile(current.result)] }));
  $("#save-all").hidden = items.length < 2;
  $("#save-all").disabled = !done.length;
  const part = done.length < items.length ? ` (${done.length} of ${items.length})` : "";
  $("#save-all").textContent = `Download all${part}`;
}

const asFile = ({ blob, name }) => new File([blob], name, { type: blob.type });

/** Hands the result to the device's own dialog. */
function share() {
  navigator.share({ files: [asFile(current.result)] }).catch((error) => {
    if (error.name !== "AbortError") notice(`It could not be shared (${error.message}): download it instead.`);
  });
}

async function saveAll() {
  const files = items.filter((item) => item.status === "done").map(({ result }) => result);
  let url;
  try {
    url = URL.createObjectURL(await zip(files));
  } catch (error) {
    return notice(error.message);
  }
  Object.assign(document.createElement("a"), { href: url, download: "sakuga.zip" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it after the click
}

function leave() {
  for (const item of items) {
    if (item.status === "running") scheduler.stop(item, item.isVideo ? "cancelled" : "waiting");
  }
}

/** Tells of what concerns no file of the list. */
function notice(sentence) {
  $("#notice").textContent = sentence;
  $("#notice").hidden = !sentence;
}

const doing = {
  choose: intake.choose,
  camera: camera.open,
  sample: () => intake.sample().then((file) => add([file]), (error) => notice(error.message)),
};

async function start() {
  $("#promise").textContent = engine.promise;
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", doing[button.dataset.do]);
  }
  $("#save-all").addEventListener("click", saveAll);
  $("#share").addEventListener("click", share);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", () => scheduler.pump()); // the browser may bring the page back as it was
  intake.setUp(add);
  camera.setUp(add);
  draw();
  try {
    const [styles, known, options] = await Promise.all([engine.styles(), engine.limits(), engine.options()]);
    limits = known;
    controls.setUp(styles, limits, options, () => (scheduler.pump(), draw()));
  } catch (error) {
    $("#styles").replaceChildren();
    return notice(error.message);
  }
  document.body.classList.toggle("no-films", !limits.max_video_seconds);
  const kinds = limits.formats.map(controls.spell).join(", ");
  const video = limits.max_video_seconds ? `; video up to ${limits.max_video_seconds} s` : "";
  $("#limits").textContent = `${kinds}, up to ${bytes(limits.max_bytes)}${video}`;
  $("#chooser").accept = ["image/*", ".tif", ".tiff", ...(video ? ["video/*", ".mkv"] : [])].join(",");
  scheduler.pump();
  previews.show(current);
}

start();
