/** How files come in: dropped, pasted, chosen, the sample. */

import { $ } from "./dom.js";
import * as engine from "./engine.js";

/** Calls `add(files)` for whatever comes. */
export function setUp(add) {
  const chooser = $("#chooser");
  for (const input of [chooser, $("#phone-camera")]) {
    input.addEventListener("change", () => {
      add([...input.files]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", ({ clipboardData }) => add([...(clipboardData?.files ?? [])]));

  let depth = 0; // dragenter and dragleave also come for every element inside
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  const light = (on) => ($("#drop").hidden = !on);
  addEventListener("dragenter", (event) => holdsFiles(event) && light(++depth > 0));
  addEventListener("dragleave", (event) => holdsFiles(event) && light(--depth > 0));
  addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    light((depth = 0));
    add([...event.dataTransfer.files]);
  });
}

/** Opens the browser's own dialog for files. */
export const choose = () => $("#chooser").click();

/** The sample picture as a file. */
export async function sample() {
  return new File([await engine.sample()], "sample.jpg", { type: "image/jpeg" });
}
