// Sending files. XMLHttpRequest tells how much has been sent; fetch does not.

import { refusal, Unreachable, wire } from "./http.js";
import { info } from "./info.js";
import { size } from "./format.js";
import { inParallel, run } from "./tasks.js";

const AT_A_TIME = 2;
const SWIFT_S_MOST = 5 * 2 ** 30;

/** Upload [{file, name, type}], each with its own line of progress. Returns how many were stored. */
export async function upload(store, account, container, items) {
  const { swift = {} } = await info(store.session);
  const most = swift.max_file_size ?? SWIFT_S_MOST;
  let stored = 0;
  await inParallel(
    items,
    async (item) => {
      if (await run(`Upload ${item.name}`, (task) => send(store, account, container, item, most, task))) stored += 1;
    },
    AT_A_TIME,
  );
  return stored;
}

async function send(store, account, container, { file, name, type }, most, task) {
  if (file.size > most)
    throw new Error(
      `${size(file.size)} is more than an object may have (${size(most)}). The swift command can upload it in segments.`,
    );
  const headers = { "X-Auth-Token": store.session.token, "Content-Type": type || file.type || "application/octet-stream" };
  await put(store.url(account, container, name), wire(headers), file, task);
}

function put(url, headers, body, { signal, progress }) {
  return new Promise((resolve, reject) => {
    const transfer = new XMLHttpRequest();
    transfer.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) transfer.setRequestHeader(name, value);
    transfer.upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
    transfer.addEventListener("error", () =>
      reject(new Unreachable("The connection broke before all was sent. Nothing was stored.")),
    );
    transfer.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    transfer.addEventListener("load", () => {
      const type = transfer.getResponseHeader("Content-Type") ?? "";
      transfer.status < 400 ? resolve() : reject(refusal(transfer.status, type, transfer.responseText));
    });
    signal.addEventListener("abort", () => transfer.abort());
    transfer.send(body);
  });
}
