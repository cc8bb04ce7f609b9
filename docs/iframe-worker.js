/**
 * The docs opened from a disk: there pages may start no worker, so the one of the search runs in a hidden frame. It has
 * the name by which mkdocs-material knows such a stand-in, and its offline plugin fetches none from elsewhere.
 */
if (location.protocol === "file:") {
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = Object.assign(document.createElement("iframe"), { hidden: true, title: "Search" });
      document.body.append(frame);
      this.inner = frame.contentWindow;
      frame.contentDocument.write("<!doctype html>"); // so that no browser puts another empty document there later
      frame.contentDocument.close();
      const load = (src) =>
        new Promise((onload, onerror) => {
          const script = Object.assign(frame.contentDocument.createElement("script"), { src, onload, onerror });
          frame.contentDocument.head.append(script);
        });
      this.inner.importScripts = (...urls) => Promise.all(urls.map(load));
      this.inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.loaded = load(url);
    }

    postMessage(data) {
      this.loaded.then(() => this.inner.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
