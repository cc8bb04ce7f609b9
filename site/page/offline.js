/** Keeps the page for the next visit, without a network. */

addEventListener("load", () => navigator.serviceWorker?.register("sw.js").catch(() => {}));
