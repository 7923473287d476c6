// What goes on in the background: uploads, downloads, deletions. A panel shows each with its progress and a way to cancel.

import { h, replace } from "./dom.js";
import { size } from "./format.js";

const SHOWN_AFTER_END = 8000;
const list = h("ul", { class: "tasks" });
const place = h("aside", { "aria-label": "Work under way" }, list);

/** The panel's element. */
export function panel() {
  return place;
}

/**
 * Run `work(task)` with its own line in the panel. The task has `signal`, which aborts when the user cancels, and
 * `progress(done, total, unit)`. Returns whether it came to its end; errors stay in the panel.
 */
export async function run(title, work) {
  const controller = new AbortController();
  const bar = h("progress", { "aria-label": title });
  const text = h("span", { class: "task-state" }, "…");
  const button = h("button", { type: "button", class: "quiet", onclick: () => controller.abort() }, "Cancel");
  const line = h("li", { class: "task" }, h("span", { class: "task-title", title }, title), bar, text, button);
  list.append(line);
  const task = { signal: controller.signal, progress: meter(bar, text) };
  try {
    await work(task);
    finish(line, "done", "done");
    return true;
  } catch (error) {
    const cancelled = error.name === "AbortError";
    finish(line, cancelled ? "cancelled" : "failed", cancelled ? "cancelled" : error.message);
    return false;
  }
}

function meter(bar, text) {
  const begun = performance.now();
  return (done, total, unit = "bytes") => {
    if (total) bar.max = total;
    if (total) bar.value = done;
    const rate = done / Math.max((performance.now() - begun) / 1000, 0.001);
    const amount =
      unit === "bytes" ? `${size(done)}${total ? ` of ${size(total)}` : ""}, ${size(Math.round(rate))}/s` : `${done} ${unit}`;
    replace(text, amount);
  };
}

function finish(line, state, text) {
  line.classList.add(state);
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => line.remove() }, "×");
  replace(
    line,
    line.firstChild,
    h("span", { class: "task-state", role: state === "failed" ? "alert" : "status" }, text),
    close,
  );
  if (state !== "failed") setTimeout(() => line.remove(), SHOWN_AFTER_END);
}

/** Do `one(item)` for every item of an (async) iterable, so many at a time. Stops at the first error. */
export async function inParallel(items, one, most = 4) {
  const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    while (!failed) {
      const { value, done } = await iterator.next();
      if (done) return;
      await one(value);
    }
  };
  const guarded = () =>
    worker().catch((error) => {
      failed = true;
      throw error;
    });
  await Promise.all(Array.from({ length: most }, guarded));
}
