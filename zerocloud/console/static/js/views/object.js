// One object: what it is, its text in the editor, its picture, or a download.

import { confirm, ask, field } from "../dialog.js";
import { h, replace } from "../dom.js";
import { download } from "../download.js";
import { keepDraft, takeDraft } from "../drafts.js";
import { editor } from "../editor.js";
import { size, when } from "../format.js";
import { isImage, isText, language, runnable } from "../kinds.js";
import { attempt, tell } from "../notice.js";
import { format, go } from "../route.js";
import { metadata } from "../store.js";
import { crumbs } from "./crumbs.js";
import { editMetadata } from "./metadata.js";

const MOST_TEXT = 2 * 2 ** 20;
const MOST_IMAGE = 32 * 2 ** 20;

export async function objectView({ store, route, signal }) {
  const [account, container, name] = route.parts;
  const place = { store, account, container, name, signal };
  const headers = await store.head(account, container, name);
  const about = {
    bytes: Number(headers["content-length"]),
    type: headers["content-type"] ?? "",
    etag: headers.etag,
    special: special(headers),
  };
  const body = h("div", { class: "body" });
  const actions = h("div", { class: "actions" });
  const section = h(
    "section",
    { class: "object" },
    h("div", { class: "title" }, crumbs(account, container, "", name), actions),
    facts(headers, about),
    body,
  );
  replace(actions, buttons(place, about));
  await show(place, about, body, actions);
  return section;
}

/** Why an object that is text can't be edited here; empty if it can. */
function special(headers) {
  if (headers["content-encoding"]) return `It is stored compressed (${headers["content-encoding"]}).`;
  if (headers["x-static-large-object"] || headers["x-object-manifest"]) return "It is made of segments.";
  return "";
}

function facts(headers, about) {
  const rows = [
    ["Type", about.type],
    ["Size", `${size(about.bytes)} (${about.bytes.toLocaleString()} bytes)`],
    ["Changed", when(new Date(headers["last-modified"]))],
    ["ETag", about.etag],
    headers["x-delete-at"] && ["Expires", when(new Date(Number(headers["x-delete-at"]) * 1000))],
    ...metadata(headers, "object").map(([name, value]) => [`Meta ${name}`, value]),
  ];
  return h(
    "dl",
    { class: "facts" },
    rows.filter(Boolean).map(([title, value]) => h("div", {}, h("dt", {}, title), h("dd", {}, value))),
  );
}

function buttons({ store, account, container, name }, about) {
  const again = () => dispatchEvent(new Event("zerocloud:refresh"));
  const run =
    runnable(name, about.type) &&
    h("a", { class: "button", href: format("map", [container, name], { account: account === "~" ? "" : account }) }, "Run…");
  return [
    run,
    h(
      "button",
      { type: "button", onclick: () => attempt(() => download(store, account, container, name, about.bytes)) },
      "Download",
    ),
    h(
      "button",
      { type: "button", onclick: () => attempt(async () => (await editMetadata(store, account, container, name)) && again()) },
      "Metadata…",
    ),
    h(
      "button",
      { type: "button", class: "danger", onclick: () => attempt(() => remove(store, account, container, name)) },
      "Delete…",
    ),
  ];
}

async function remove(store, account, container, name) {
  if (!(await confirm(`Delete ${name}?`, "There is no way back.", "Delete"))) return;
  await store.remove(account, container, name);
  go("store", [account, container], { prefix: name.includes("/") ? name.replace(/[^/]*$/, "") : "" });
}

async function show(place, about, body, actions) {
  const { store, account, container, name, signal } = place;
  if (isImage(about.type) && about.bytes <= MOST_IMAGE) {
    const blob = await (await store.get(account, container, name, { signal })).blob();
    const url = URL.createObjectURL(blob);
    signal.addEventListener("abort", () => URL.revokeObjectURL(url));
    replace(body, h("img", { class: "preview", src: url, alt: name }));
  } else if (!isText(name, about.type)) {
    replace(body, h("p", { class: "dim" }, "This is no text. Download it to look at it."));
  } else if (about.special) {
    replace(body, h("p", { class: "dim" }, `${about.special} Download it to look at it.`));
  } else if (about.bytes > MOST_TEXT) {
    replace(
      body,
      h(
        "p",
        { class: "dim" },
        `The editor takes texts of up to ${size(MOST_TEXT)}; this one has ${size(about.bytes)}. Download it instead.`,
      ),
    );
  } else {
    await edit(place, about, body, actions);
  }
}

async function edit(place, about, body, actions) {
  const { store, account, container, name, signal } = place;
  const bytes = await (await store.get(account, container, name, { signal })).arrayBuffer();
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    replace(body, h("p", { class: "dim" }, "Its type says text, but it is not UTF-8. Download it to look at it."));
    return;
  }
  let { etag } = about;
  const draft = takeDraft(`${account}/${container}/${name}`);
  const saveButton = h("button", { type: "button", class: "primary", disabled: true, onclick: () => attempt(save) }, "Save");
  const saveAs = h(
    "button",
    { type: "button", onclick: () => attempt(() => saveUnder(place, about, writer.text())) },
    "Save as…",
  );
  const writer = await editor({
    text: draft ?? text,
    language: language(name, about.type),
    label: `Text of ${name}`,
    onchange: () => {
      saveButton.disabled = false;
    },
    onsave: () => attempt(save),
  });
  const guard = (event) => !saveButton.disabled && event.preventDefault();
  addEventListener("beforeunload", guard, { signal });
  actions.prepend(saveButton, saveAs);
  replace(body, writer.element);
  signal.addEventListener("abort", () => saveButton.disabled || keepDraft(`${account}/${container}/${name}`, writer.text()));
  if (draft !== null) {
    saveButton.disabled = false;
    tell("This is the text that you left without saving it.");
  }

  async function save() {
    const now = await store.head(account, container, name);
    const changed = now.etag !== etag;
    if (
      changed &&
      !(await confirm("Save over a newer version?", "Somebody else has changed this object since you opened it.", "Save mine"))
    )
      return;
    const response = await store.put(account, container, name, writer.text(), keep(now));
    etag = response.headers.get("etag")?.replaceAll('"', "");
    saveButton.disabled = true;
    tell(`${name} is saved.`);
  }
}

/** A PUT makes an object anew: its type and metadata go along. */
function keep(headers) {
  const names = Object.keys(headers).filter(
    (name) => name.startsWith("x-object-meta-") || ["content-type", "content-disposition", "x-delete-at"].includes(name),
  );
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}

async function saveUnder({ store, account, container, name }, about, text) {
  const input = h("input", { value: name, spellcheck: "false", name: "object" });
  const made = await ask(
    "Save as",
    field("Name", input),
    async () => {
      await store.put(account, container, input.value, text, { "Content-Type": about.type });
      return input.value;
    },
    { action: "Save" },
  );
  if (made) go("object", [account, container, made]);
}
