// A container: its objects, with / in their names as if they were folders.

import { confirm } from "../dialog.js";
import { append, h } from "../dom.js";
import { download } from "../download.js";
import { age, listed, size } from "../format.js";
import { icon } from "../icons.js";
import { execution } from "../execution.js";
import { DIRECTORY, iconOf, runnable } from "../kinds.js";
import { listing } from "../listing.js";
import { menu } from "../menu.js";
import { attempt } from "../notice.js";
import { deletePrefix } from "../removal.js";
import { format } from "../route.js";
import { PAGE } from "../store.js";
import { editAccess } from "./access.js";
import { newFolder, newObject } from "./create.js";
import { crumbs } from "./crumbs.js";
import { editMetadata } from "./metadata.js";
import { dropTarget, uploadAndRun, uploadAs, uploadFiles } from "./uploads.js";

const COLUMNS = ["Name", "Size", "Changed", "Actions"];
const refresh = () => dispatchEvent(new Event("zerocloud:refresh"));

export async function objectsView({ store, route, signal }) {
  const [account, container] = route.parts;
  const prefix = route.query.get("prefix") ?? "";
  const place = { store, account, container, prefix };
  const table = await listing({
    caption: `Objects in ${container}`,
    columns: COLUMNS,
    pageSize: PAGE,
    signal,
    load: (marker) => store.objects(account, container, { prefix, delimiter: "/", marker, signal }),
    marker: (entry) => entry.subdir ?? entry.name,
    row: (entry) => (entry.subdir ? folderRow(place, entry.subdir) : objectRow(place, entry)),
    empty: "Nothing here yet. Upload files, or drop them on this page.",
  });
  const section = h("section", {}, h("div", { class: "title" }, crumbs(account, container, prefix), toolbar(place)), table);
  dropTarget(section, place, refresh);
  return section;
}

function toolbar(place) {
  const { store, account, container } = place;
  const picker = h("input", {
    type: "file",
    multiple: true,
    class: "hidden",
    "aria-label": "Files to upload",
    name: "files",
    onchange: async () => {
      if (await attempt(() => uploadFiles(place, [...picker.files]))) refresh();
      picker.value = "";
    },
  });
  const more = menu("More actions", [
    ["Upload as…", () => attempt(async () => (await uploadAs(place)) && refresh())],
    execution && account === "~" && ["Upload and run…", () => attempt(() => uploadAndRun(place))],
    ["New folder…", () => attempt(() => newFolder(place))],
    ["Metadata of the container…", () => attempt(() => editMetadata(store, account, container))],
    account === "~" && ["Access to the container…", () => attempt(() => editAccess(store, container))],
  ]);
  return h(
    "div",
    { class: "actions" },
    picker,
    h("button", { type: "button", class: "primary", onclick: () => picker.click() }, "Upload"),
    h("button", { type: "button", onclick: () => attempt(() => newObject(place)) }, "New object"),
    more,
  );
}

function folderRow(place, subdir) {
  const { store, account, container, prefix } = place;
  const actions = menu(`Actions for ${subdir}`, [
    ["Delete with contents…", () => attempt(() => removeFolder(store, account, container, subdir)), "danger"],
  ]);
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      icon("folder"),
      h("a", { href: format("store", [account, container], { prefix: subdir }) }, subdir.slice(prefix.length)),
    ),
    h("td"),
    h("td"),
    h("td", { class: "end" }, actions),
  );
}

function objectRow(place, entry) {
  const { store, account, container, prefix } = place;
  const again = async (work) => (await work) && refresh();
  const actions = menu(`Actions for ${entry.name}`, [
    ["Download", () => attempt(() => download(store, account, container, entry.name, entry.bytes))],
    runnable(entry.name, entry.content_type) && [
      "Run…",
      () => {
        location.hash = format("map", [container, entry.name], { account: account === "~" ? "" : account });
      },
    ],
    execution && [
      "Open with its program",
      () => {
        location.hash = format("open", [account, container, entry.name]);
      },
    ],
    ["Metadata and type…", () => attempt(() => again(editMetadata(store, account, container, entry.name)))],
    ["Delete…", () => attempt(() => removeObject(place, entry)), "danger"],
  ]);
  return h(
    "tr",
    {},
    name(),
    h("td", { class: "number", "data-title": "Size" }, size(entry.bytes)),
    h("td", { "data-title": "Changed" }, age(listed(entry.last_modified))),
    h("td", { class: "end" }, actions),
  );

  function name() {
    const link =
      entry.content_type === DIRECTORY
        ? format("store", [account, container], { prefix: `${entry.name.replace(/\/$/, "")}/` })
        : format("object", [account, container, entry.name]);
    return append(
      h("th", { scope: "row" }),
      icon(iconOf(entry.content_type)),
      h("a", { href: link, title: entry.content_type }, entry.name.slice(prefix.length) || entry.name),
    );
  }
}

async function removeObject({ store, account, container }, entry) {
  if (!(await confirm(`Delete ${entry.name}?`, `${size(entry.bytes)}, ${entry.content_type}. There is no way back.`, "Delete")))
    return;
  await store.remove(account, container, entry.name);
  refresh();
}

async function removeFolder(store, account, container, prefix) {
  if (
    !(await confirm(
      `Delete ${prefix}?`,
      `Every object whose name begins with “${prefix}” will be deleted. There is no way back.`,
      "Delete",
    ))
  )
    return;
  await deletePrefix(store, account, container, prefix);
  refresh();
}
