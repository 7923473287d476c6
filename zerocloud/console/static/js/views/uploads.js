// Files from this machine: chosen, dropped, or under another name and type.

import { ask, field } from "../dialog.js";
import { h } from "../dom.js";
import { Jobs } from "../jobs.js";
import { runnable } from "../kinds.js";
import { go } from "../route.js";
import { mapFor } from "../templates.js";
import { upload } from "../upload.js";

/** Upload files under their own names. Returns how many were stored. */
export function uploadFiles({ store, account, container, prefix }, files) {
  const items = files.map((file) => ({ file, name: prefix + (file.webkitRelativePath || file.name), type: file.type }));
  return upload(store, account, container, items);
}

/** Ask for one file, its name and type. Returns how many were stored. */
export async function uploadAs(place) {
  const chosen = await choose("Upload as", "Upload", place.prefix);
  return chosen ? upload(place.store, place.account, place.container, [chosen]) : 0;
}

/** Ask for a map, a program or a script, store it, and run it at once. */
export async function uploadAndRun({ store, account, container, prefix }) {
  const chosen = await choose("Upload and run", "Run", prefix, ({ name, type }) => {
    if (!runnable(name, type))
      throw new Error("This is neither a map (.json), nor a program (.wasm), nor a Python script (.py).");
  });
  if (!chosen || !(await upload(store, account, container, [chosen]))) return;
  const kind = runnable(chosen.name, chosen.type);
  const map = kind === "map" ? await chosen.file.text() : JSON.stringify(mapFor(kind, account, container, chosen.name));
  go("jobs", [await new Jobs(store.session).start(map, "application/json")]);
}

async function choose(title, action, prefix, check = () => undefined) {
  const file = h("input", { type: "file", required: true, name: "file" });
  const name = h("input", { spellcheck: "false" });
  const type = h("input", { spellcheck: "false" });
  file.addEventListener("change", () => {
    name.value = prefix + (file.files[0]?.name ?? "");
    type.value = file.files[0]?.type || "application/octet-stream";
  });
  return ask(
    title,
    [field("File", file), field("Name", name), field("Content type", type)],
    () => {
      if (!file.files[0] || !name.value) throw new Error("A file and a name, please.");
      const chosen = { file: file.files[0], name: name.value, type: type.value.trim() };
      check(chosen);
      return chosen;
    },
    { action },
  );
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
