// The account: its containers, and those of others that were put beside them.

import { ask, confirm, field } from "../dialog.js";
import { h } from "../dom.js";
import { age, count, listed, size } from "../format.js";
import { listing } from "../listing.js";
import { menu } from "../menu.js";
import { attempt, tell } from "../notice.js";
import { format, go } from "../route.js";
import { accountOf } from "../session.js";
import { PAGE } from "../store.js";
import { deleteContainer } from "../removal.js";
import { editAccess } from "./access.js";
import { editMetadata } from "./metadata.js";
import { addShare, dropShare, shares } from "../shares.js";

const COLUMNS = ["Container", "Objects", "Size", "Changed", "Actions"];
const LONGEST_NAME = 256;

export async function containersView({ session, store, signal }) {
  const head = await store.head("~");
  const table = await listing({
    caption: "Containers",
    columns: COLUMNS,
    pageSize: PAGE,
    signal,
    load: (marker) => store.containers({ marker, signal }),
    marker: (entry) => entry.name,
    row: (entry) => row(store, entry),
    empty: "No containers yet. Make one to put objects in.",
  });
  const about = `${count(Number(head["x-account-object-count"] ?? 0), "object")}, ${size(Number(head["x-account-bytes-used"] ?? 0))} in ${accountOf(session)}`;
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Containers"),
      h("p", { class: "dim" }, about),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "primary", onclick: () => attempt(() => create(store)) }, "New container"),
        h("button", { type: "button", onclick: () => attempt(() => share(store)) }, "Add shared…"),
      ),
    ),
    table,
    shared(store, shares(head)),
  );
}

function row(store, entry) {
  const actions = menu(`Actions for ${entry.name}`, [
    ["Metadata…", () => attempt(() => editMetadata(store, "~", entry.name))],
    ["Access…", () => attempt(() => editAccess(store, entry.name))],
    ["Delete…", () => attempt(() => remove(store, entry)), "danger"],
  ]);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: format("store", ["~", entry.name]) }, entry.name)),
    h("td", { class: "number", "data-title": "Objects" }, entry.count.toLocaleString()),
    h("td", { class: "number", "data-title": "Size" }, size(entry.bytes)),
    h("td", { "data-title": "Changed" }, age(listed(entry.last_modified))),
    h("td", { class: "end" }, actions),
  );
}

async function create(store) {
  const name = h("input", { maxlength: LONGEST_NAME, required: true, spellcheck: "false", name: "container" });
  const made = await ask(
    "New container",
    field("Name", name),
    async () => {
      checkName(name.value);
      await store.put("~", name.value);
      return name.value;
    },
    { action: "Create" },
  );
  if (made) go("store", ["~", made]);
}

function checkName(name) {
  if (!name) throw new Error("A container needs a name.");
  if (name.includes("/")) throw new Error("The name of a container has no slash; objects' names may.");
  if (new TextEncoder().encode(name).length > LONGEST_NAME) throw new Error(`The name is longer than ${LONGEST_NAME} bytes.`);
}

async function remove(store, entry) {
  // The account's numbers lag behind its containers.
  const held = entry.count ? `, ${count(entry.count, "object")} at the last count` : "";
  const text = `“${entry.name}” will be deleted with everything in it${held}. There is no way back.`;
  if (!(await confirm(`Delete ${entry.name}?`, text, "Delete"))) return;
  if (await deleteContainer(store, entry.name, entry.count)) dispatchEvent(new Event("zerocloud:refresh"));
}

async function share(store) {
  const account = h("input", { required: true, spellcheck: "false", name: "account" });
  const container = h("input", { required: true, spellcheck: "false", name: "container" });
  const hint = "Its owner must let you read and list it.";
  const done = await ask(
    "Add a container of another account",
    [field("Account", account), field("Container", container, hint)],
    async () => {
      await addShare(store, account.value.trim(), container.value);
      return true;
    },
    { action: "Add" },
  );
  if (done) dispatchEvent(new Event("zerocloud:refresh"));
}

function shared(store, entries) {
  if (!entries.length) return null;
  const rows = entries.map((entry) =>
    h(
      "li",
      {},
      h("a", { href: format("store", [entry.account, entry.container]) }, `${entry.account} / ${entry.container}`),
      h("button", { type: "button", class: "quiet", onclick: () => drop(store, entry) }, "Remove from the list"),
    ),
  );
  return h("section", {}, h("h2", {}, "Shared with me"), h("ul", { class: "plain" }, rows));
}

async function drop(store, entry) {
  await attempt(async () => {
    await dropShare(store, entry);
    dispatchEvent(new Event("zerocloud:refresh"));
    tell(`${entry.container} is no longer in your list. The container itself has not changed.`);
  });
}
