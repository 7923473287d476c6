// New objects and folders, by name and type.

import { ask, field } from "../dialog.js";
import { h } from "../dom.js";
import { DIRECTORY } from "../kinds.js";
import { format } from "../route.js";

const TYPES = [
  ["text/plain", "Text"],
  ["application/json", "JSON, or a system map"],
  ["text/x-python", "Python"],
  ["text/x-c", "C"],
  ["text/html", "HTML"],
  ["text/csv", "CSV"],
];
const LONGEST_NAME = 1024;

/** An empty object, opened in the editor. */
export async function newObject({ store, account, container, prefix }) {
  const name = nameField("object");
  const types = h(
    "datalist",
    { id: "types" },
    TYPES.map(([value, title]) => h("option", { value }, title)),
  );
  const type = h("input", { value: TYPES[0][0], list: "types", name: "type", spellcheck: "false" });
  const made = await ask(
    "New object",
    [field("Name", name, "Slashes make folders."), field("Content type", type), types],
    async () => {
      const full = prefix + checked(name.value);
      await store.put(account, container, full, "", { "Content-Type": type.value.trim(), "If-None-Match": "*" }).catch(taken);
      return full;
    },
    { action: "Create" },
  );
  if (made) location.hash = format("object", [account, container, made], { edit: "1" });
}

/** A pseudo-directory. */
export async function newFolder({ store, account, container, prefix }) {
  const name = nameField("folder");
  const made = await ask(
    "New folder",
    field("Name", name),
    async () => {
      const full = prefix + checked(name.value.replace(/\/+$/, ""));
      await store.put(account, container, full, "", { "Content-Type": DIRECTORY, "If-None-Match": "*" }).catch(taken);
      return full;
    },
    { action: "Create" },
  );
  if (made) location.hash = format("store", [account, container], { prefix: `${made}/` });
}

function nameField(name) {
  return h("input", { required: true, maxlength: LONGEST_NAME, spellcheck: "false", name });
}

function checked(name) {
  if (!name) throw new Error("It needs a name.");
  if (new TextEncoder().encode(name).length > LONGEST_NAME) throw new Error(`The name is longer than ${LONGEST_NAME} bytes.`);
  return name;
}

function taken(error) {
  if (error.status === 412) throw new Error("There is an object of this name already.");
  throw error;
}
