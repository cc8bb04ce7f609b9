/**
 * The service worker: it keeps all files of the page, so that it works without a network after the first visit, and gives
 * them the headers that threads want, which many hosts of files do not. The build fills in the list.
 */

const { version, files } = self.BUILD;
const CACHE = `sakuga ${version}`;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = async () => (await caches.keys()).filter((name) => name.startsWith("sakuga ") && name !== CACHE);
  event.waitUntil(old().then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "GET" && url.origin === location.origin) event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const found = (await cache.match(request, { ignoreSearch: true })) ?? (await fetched(cache, request));
  if (!found.body) return found;
  const headers = new Headers(found.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}

/** What is not among the files: ONNX Runtime for GPUs, which is large and kept where it is used. */
async function fetched(cache, request) {
  const response = await fetch(request);
  if (response.ok && new URL(request.url).pathname.startsWith(new URL("./page/ort/", location).pathname)) cache.put(request, response.clone());
  return response;
}
