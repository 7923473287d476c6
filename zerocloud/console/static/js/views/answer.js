// What a job answered: text as text, pictures as pictures, and nothing that runs.

import { h } from "../dom.js";
import { size } from "../format.js";
import { isImage } from "../kinds.js";

const TEXT = /^(text\/|application\/(json|xml|csv|x-ndjson|octet-stream))/;

/** The beginning of the answer; `fetchAll(path)` downloads the whole of it. */
export async function answer(jobs, job, fetchAll, signal) {
  const headers = Object.entries(job.headers ?? {}).filter(([name]) => /^x-nexe-/i.test(name));
  const report =
    headers.length > 0 &&
    h(
      "details",
      {},
      h("summary", {}, "Full report"),
      h(
        "dl",
        { class: "facts" },
        headers.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      ),
    );
  if (!job.body || !job.body.size) return report || null;
  const response = await jobs.body(job.id, signal);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const type = response.headers.get("Content-Type") ?? "";
  const whole =
    job.result && h("button", { type: "button", onclick: () => fetchAll(job.result) }, `Download all ${size(job.body.size)}`);
  const cut =
    bytes.length < job.body.size && h("p", { class: "dim" }, `The first ${size(bytes.length)} of ${size(job.body.size)}.`);
  const body = [shown(bytes, type, signal), cut, report];
  // The answer of a job that failed is its story, which stands above in parts.
  if (job.state === "failed") return h("details", {}, h("summary", {}, "Answer"), body);
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h2", {}, "Answer"),
      h("span", { class: "dim" }, type),
      h("div", { class: "actions" }, whole),
    ),
    body,
  );
}

/** Bytes of a type, as far as they can be shown. */
export function shown(bytes, type, signal) {
  if (isImage(type)) {
    const url = URL.createObjectURL(new Blob([bytes], { type: type.split(";")[0] }));
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    return h("img", { class: "preview", src: url, alt: "The answer" });
  }
  try {
    if (!TEXT.test(type)) throw new TypeError("no text");
    return h(
      "pre",
      { class: "output", tabindex: "0" },
      new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }),
    );
  } catch {
    return h("p", { class: "dim" }, `${size(bytes.length)} that are no text.`);
  }
}
