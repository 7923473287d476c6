// Files from this machine: chosen, dropped, or under another name and type.

import { ask, field } from "../dialog.js";
import { h } from "../dom.js";
import { upload } from "../upload.js";

/** Upload files under their own names. Returns how many were stored. */
export function uploadFiles({ store, account, container, prefix }, files) {
  const items = files.map((file) => ({ file, name: prefix + (file.webkitRelativePath || file.name), type: file.type }));
  return upload(store, account, container, items);
}

/** Ask for one file, its name and type. Returns how many were stored. */
export async function uploadAs({ store, account, container, prefix }) {
  const file = h("input", { type: "file", required: true });
  const name = h("input", { spellcheck: "false" });
  const type = h("input", { spellcheck: "false" });
  file.addEventListener("change", () => {
    name.value = prefix + (file.files[0]?.name ?? "");
    type.value = file.files[0]?.type || "application/octet-stream";
  });
  const chosen = await ask(
    "Upload as",
    [field("File", file), field("Name", name), field("Content type", type)],
    () => {
      if (!file.files[0] || !name.value) throw new Error("A file and a name, please.");
      return { file: file.files[0], name: name.value, type: type.value.trim() };
    },
    { action: "Upload" },
  );
  return chosen ? upload(store, account, container, [chosen]) : 0;
}

/** Let files be dropped on the element. */
export function dropTarget(element, place, done) {
  const over = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    element.classList.toggle("drop", event.type !== "dragleave");
  };
  element.addEventListener("dragover", over);
  element.addEventListener("dragleave", over);
  element.addEventListener("drop", async (event) => {
    over(event);
    element.classList.remove("drop");
    if (event.dataTransfer.files.length && (await uploadFiles(place, [...event.dataTransfer.files]))) done();
  });
}
