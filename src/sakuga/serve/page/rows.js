/** The list of files: for each its thumbnail, what is going on with it, and what can be done with it. */

import { $, bytes, make } from "./dom.js";
import { frame } from "./still.js";

const SIDE = 112; // pixels of a thumbnail: twice its size on the page, for sharp screens
const rows = new Map();

/** Shows the items; `act` has the functions pick, again, cancel and remove, and `title(name)` of a style. */
export function update(items, current, act, stale) {
  $("#files").hidden = items.length === 0;
  for (const [item, row] of rows) {
    if (!items.includes(item)) {
      row.root.remove();
      rows.delete(item);
    }
  }
  for (const item of items) {
    if (!rows.has(item)) {
      rows.set(item, build(item, act));
      $("#rows").append(rows.get(item).root);
    }
    fill(item, rows.get(item), item === current, act, stale(item));
  }
}

function build(item, act) {
  const name = item.file.name;
  const button = (label, text, run) => {
    const made = make("button", { type: "button", className: "small", "aria-label": `${label} ${name}` }, text);
    made.addEventListener("click", () => run(item));
    return made;
  };
  const row = {
    thumb: make("span", { className: "thumb" }, name.includes(".") ? name.split(".").pop().slice(0, 4) : "?"),
    note: make("span", { className: "note" }),
    bar: make("progress", { "aria-label": `Progress of ${name}` }),
    again: button("Stylise again", "", act.again),
    cancel: button("Cancel", "Cancel", act.cancel),
    save: make("a", { className: "button small", "aria-label": `Download ${name}` }),
    remove: button("Remove", "×", act.remove),
  };
  for (const [element, text, sign] of [[row.again, "Stylise again", "↻"], [row.save, "Download", "↓"]]) {
    element.append(make("span", { className: "wide" }, text), make("span", { className: "narrow" }, sign));
  }
  row.remove.classList.add("plain");
  row.pick = make(
    "button",
    { type: "button", className: "pick" },
    row.thumb,
    make("span", { className: "text" }, make("span", { className: "name", title: name }, name), row.note),
  );
  row.pick.addEventListener("click", () => act.pick(item));
  row.root = make("li", {}, row.pick, row.again, row.cancel, row.save, row.remove, row.bar);
  thumbnail(item.file, item.isVideo).then((canvas) => canvas && row.thumb.replaceChildren(canvas));
  return row;
}

function fill(item, row, isCurrent, act, stale) {
  const { result, status, job } = item;
  row.root.dataset.status = status;
  row.pick.setAttribute("aria-current", isCurrent);
  row.note.textContent = note(item, act, stale);
  row.bar.hidden = status !== "running";
  if (job?.total) row.bar.value = job.frames / job.total;
  else row.bar.removeAttribute("value");
  row.cancel.hidden = !(item.isVideo && status === "running");
  row.again.hidden = item.refused || item.hopeless || !(["failed", "cancelled"].includes(status) || (stale && status === "done"));
  row.save.hidden = !(result && status === "done");
  if (result) Object.assign(row.save, { href: result.url, download: result.name });
  if (result && row.made !== result.blob) {
    row.made = result.blob;
    thumbnail(result.blob, item.isVideo).then(
      (canvas) => canvas && row.made === result.blob && row.thumb.replaceChildren(canvas),
    );
  }
}

function note({ status, note, job, result, isVideo }, act, stale) {
  if (note) return note;
  if (status === "waiting") return "Waiting";
  if (status === "cancelled") return "Cancelled";
  if (status === "running" && !job) return isVideo ? "Sending …" : "Stylising …";
  if (status === "running" && job.status === "queued") return "Waiting for its turn";
  if (status === "running") {
    const left = job.seconds_left ? ` · about ${Math.ceil(job.seconds_left)} s left` : "";
    return job.total ? `Frame ${job.frames} of ${job.total}${left}` : "Starting …";
  }
  const size = result.width ? `${result.width}×${result.height}` : "";
  const style = act.title(result.style) + (stale ? ", as it was" : "");
  const facts = [style, size, bytes(result.blob.size), `${result.seconds.toFixed(1)} s`, result.remark];
  // Lines break after the dots between the facts, nowhere else.
  return facts.filter(Boolean).map((fact) => fact.replaceAll(" ", "\u00a0")).join("\u00a0· ");
}

/** A small square of the file's middle, or null where the browser cannot show it. */
async function thumbnail(blob, isVideo) {
  const url = isVideo ? URL.createObjectURL(blob) : "";
  try {
    const source = isVideo ? await frame(url) : await createImageBitmap(blob);
    const [width, height] = isVideo ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
    const side = Math.min(width, height);
    const canvas = make("canvas", { width: SIDE, height: SIDE });
    const paper = canvas.getContext("2d");
    paper.imageSmoothingQuality = "high";
    paper.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    source.close?.();
    return canvas;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}
