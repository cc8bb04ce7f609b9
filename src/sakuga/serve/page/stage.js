/** The picture or video that is shown large, before and after. */

import { Divider } from "./compare.js";
import { $, make } from "./dom.js";
import { player } from "./film.js";

const sides = { before: make("div", { className: "side before" }), after: make("div", { className: "side after" }) };
const pair = make("div", { className: "pair" }, sides.after, sides.before);
const divider = new Divider(pair, "Divide between original and result");
let turn = 0; // a view that takes long to come must not cover a later one
let shown = "";

/** Shows an item as it is now; null: nothing yet. `title(name)`: what a style is called. */
export async function show(item, title) {
  const mine = ++turn;
  $("#empty").hidden = Boolean(item);
  busy(item);
  if (!item) {
    shown = "";
    $("#view").hidden = $("#blank").hidden = true;
    $("#view").replaceChildren();
    return;
  }
  const views = [await item.view("before"), item.result && (await item.view("after"))];
  if (mine !== turn) return;
  const now = [item.id, ...views.map((side) => side?.url)].join(" ");
  if (now !== shown) {
    shown = now;
    await lay(item, views, title, () => mine === turn);
    if (views[0] && views[1] && !item.revealed) divider.reveal();
    item.revealed = Boolean(views[1]);
  }
  if (mine === turn) blank(item, views);
}

function busy(item) {
  const bar = $("#busy progress");
  const { frames, total } = item?.job ?? {};
  $("#busy .chip").textContent = item?.note || "Stylising …";
  $("#busy").hidden = item?.status !== "running";
  if (total) bar.value = frames / total;
  else bar.removeAttribute("value");
}

async function lay(item, [before, after], title, isLatest) {
  const size = after && !after.reduced ? after : (before ?? after);
  $("#view").hidden = !size;
  if (!size) return $("#view").replaceChildren();
  const element = (side, alt) => {
    if (!side) return null;
    if (item.isVideo) return make("video", { src: side.url, "aria-label": alt });
    return make("img", { src: side.url, alt, draggable: false });
  };
  const style = item.result ? title(item.result.style) : "";
  const old = element(before, `${item.file.name}, the original`);
  const made = element(after, `${item.file.name} in the style ${style}`);
  // What is there stays until the new picture can be drawn, so that nothing flickers.
  if (!item.isVideo) await Promise.all([old, made].map((image) => image?.decode().catch(() => {})));
  if (!isLatest()) return (shown = "");
  put(old, made, style, size);
  $("#view").replaceChildren(pair, ...(item.isVideo ? [player(made ?? old, made && old)] : []));
}

/** Puts elements (or null) into the pair; with only one there is nothing to divide. */
function put(before, after, style, { width, height }) {
  pair.style.setProperty("--w", width);
  pair.style.setProperty("--h", height);
  const labelled = (element, text) => (element ? [element, make("span", { className: "chip" }, text)] : []);
  sides.before.replaceChildren(...labelled(before, "Original"));
  sides.after.replaceChildren(...labelled(after, style));
  const both = Boolean(before && after);
  pair.classList.toggle("both", both);
  divider.element.hidden = !both;
}

function blank(item, [before, after]) {
  const kind = /\.(\w+)$/.exec(item.file.name)?.[1].toUpperCase() ?? "such";
  const whole = "the download is whole.";
  let text = "";
  if (!before && !after) text = item.status === "failed" ? item.note : `Your browser cannot show ${kind} files.`;
  else if (item.result && !after) text = `Your browser cannot show the result; ${whole}`;
  else if (item.result && !before) text = `Your browser cannot show the original, a ${kind} file.`;
  else if (before?.reduced || after?.reduced) text = `Shown reduced, for browsers cannot show ${kind} files; ${whole}`;
  $("#blank").textContent = text;
  $("#blank").hidden = !text;
}
