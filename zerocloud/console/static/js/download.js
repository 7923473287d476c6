// Fetching objects to this machine's disk. The token goes in a header, so a plain link would not do.

import { run } from "./tasks.js";

const KEPT = 60000;
// Up to here a blob in the browser's hands will do; larger objects are written to a file piece by piece.
const MOST_IN_MEMORY = 64 * 2 ** 20;

/** Download an object of so many bytes. Returns whether all of it came. */
export async function download(store, account, container, object, bytes) {
  const name = object.split("/").pop() || "object";
  const file = bytes > MOST_IN_MEMORY ? await chooseFile(name) : undefined;
  if (file === null) return false;
  return run(`Download ${name}`, async (task) => {
    const response = await store.get(account, container, object, { signal: task.signal });
    const counted = count(response, task);
    if (file) await counted.pipeTo(await file.createWritable(), { signal: task.signal });
    else save(await new Response(counted).blob(), name);
  });
}

/** Let the browser save a blob under a name. It is never opened: what others have stored must not run here. */
export function save(blob, name) {
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

function count(response, task) {
  const total = Number(response.headers.get("Content-Length")) || 0;
  let done = 0;
  return response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        task.progress((done += chunk.byteLength), total);
        controller.enqueue(chunk);
      },
    }),
  );
}

/** A file to write to; undefined where the browser can't, null if the user thought better of it. */
async function chooseFile(suggestedName) {
  if (!window.showSaveFilePicker) return undefined;
  try {
    return await window.showSaveFilePicker({ suggestedName });
  } catch (error) {
    if (error.name === "AbortError") return null;
    return undefined;
  }
}
