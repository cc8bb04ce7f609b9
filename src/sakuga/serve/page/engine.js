/**
 * The engine of the page of `sakuga serve`: the server's HTTP API. Whatever goes wrong is a Refused with one sentence, or
 * an AbortError. `site/page/engine.js` exports the same for the page without a server, where the browser computes.
 */

import { Refused } from "./refused.js";

const TRIES = 8;
const POLL = 400; // ms between two questions about a video

/** What becomes of the user's pictures, in a sentence. */
export const promise = `What you drop goes to ${location.host} and nowhere else.`;

/** The styles there are. */
export const styles = async () => (await (await ask("/v1/styles")).json()).styles;

/** The options of pictures and of videos, each {name: JSON Schema}, as the server describes itself. */
export async function options() {
  const { paths } = await (await ask("/openapi.json")).json();
  const fields = (path) => paths[path].post.requestBody.content["multipart/form-data"].schema.properties;
  return { picture: fields("/v1/stylize"), video: fields("/v1/video") };
}

/** What the server takes. */
export const limits = async () => (await ask("/v1/limits")).json();

/**
 * Stylises one picture: {blob, name, width, height}. `settings` are form fields; empty ones are not sent.
 * `busy(seconds)` is called when the server has too much to do and will be asked again.
 */
export async function picture(file, settings, signal, busy) {
  const response = await ask("/v1/stylize", { method: "POST", body: form(file, settings), signal }, busy);
  const side = (name) => Number(response.headers.get(`X-Sakuga-${name}`));
  return { ...(await result(response, file)), width: side("Width"), height: side("Height") };
}

/** Stylises one video: {blob, name}. `progress(job)` is called with the job as it goes on. Aborting cancels the job. */
export async function video(file, settings, signal, busy, progress) {
  let job = await (await ask("/v1/video", { method: "POST", body: form(file, settings), signal }, busy)).json();
  const url = job.url ?? `/v1/jobs/${job.id}`;
  // At once when aborted, not after the promises below: the page may be going away.
  const forget = () => fetch(url, { method: "DELETE", keepalive: true }).catch(() => {});
  signal.addEventListener("abort", forget);
  try {
    while (job.status === "queued" || job.status === "running") {
      progress(job);
      await pause(POLL, signal);
      job = await (await ask(url, { signal }, busy)).json();
    }
    if (job.status !== "done") throw new Refused(job.error ?? "The server cancelled the video.");
    progress(job);
    return await result(await ask(job.result ?? `${url}/result`, { signal }, busy), file);
  } finally {
    signal.removeEventListener("abort", forget);
    if (!signal.aborted) forget();
  }
}

/** A small JPEG in a style, as a JPEG; rejected where the style asks for more. */
export async function preview(style, small, signal) {
  const options = new URLSearchParams({ style, format: "jpeg" });
  return (await ask(`/v1/stylize?${options}`, { method: "POST", body: small, signal })).blob();
}

/** The picture to try it with. */
export const sample = async () => (await ask("/page/sample.jpg")).blob();

function form(file, settings) {
  const fields = new FormData();
  fields.append("file", file, file.name);
  for (const [name, value] of Object.entries(settings)) if (value !== "") fields.append(name, value);
  return fields;
}

/** The answer of the server, which is asked again while it is too busy. */
async function ask(url, options = {}, busy = () => {}) {
  for (let attempt = 0; ; attempt++) {
    const response = await answer(fetch(url, options));
    if (response.ok) return response;
    if (![429, 503].includes(response.status) || attempt === TRIES) throw new Refused(await sentence(response), response.status);
    const seconds = Math.min(Number(response.headers.get("Retry-After")) || 2 ** attempt, 30);
    busy(seconds);
    // Those who were refused together should not come back together.
    await pause(1000 * seconds * (1 + Math.random() / 4), options.signal);
  }
}

async function result(response, file) {
  const name = /filename\*=UTF-8''([^;]+)/i.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return { blob: await answer(response.blob()), name: name ? decodeURIComponent(name) : file.name };
}

/** What is to come from the server; without one the browser's own message would say nothing useful. */
async function answer(coming) {
  try {
    return await coming;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer, or the file changed on the disk: see whether it still runs.");
  }
}

async function sentence(response) {
  try {
    const { error } = await response.json();
    if (error) return error;
  } catch {
    // Something between us and the server answered.
  }
  return `The server refused it (${response.status} ${response.statusText}).`;
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop);
  });
}
