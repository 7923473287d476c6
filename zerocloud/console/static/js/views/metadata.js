// The metadata of a container or an object, as rows of names and values.

import { ask, field } from "../dialog.js";
import { append, h } from "../dom.js";
import { metadata } from "../store.js";
import { tell } from "../notice.js";

const NAME = /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/;
// A POST to an object replaces all of these: what is not sent is lost.
const KEPT = ["content-type", "content-encoding", "content-disposition", "x-delete-at"];

/** Edit it in a dialog. */
export async function editMetadata(store, account, container, object) {
  const kind = object === undefined ? "container" : "object";
  const headers = await store.head(account, container, object);
  const before = metadata(headers, kind);
  const editor = rows(before);
  const type =
    object === undefined ? null : h("input", { value: headers["content-type"] ?? "", spellcheck: "false", name: "type" });
  const fields = [type && field("Content type", type), editor.element];
  const done = await ask(
    `Metadata of ${object ?? container}`,
    fields,
    async () => {
      const wanted = editor.read();
      const sent = object === undefined ? changes(before, wanted) : whole(headers, wanted, type.value.trim());
      await store.post(account, container, object, sent);
      return true;
    },
    { action: "Save", wide: true },
  );
  if (done) tell("The metadata is saved.");
  return done;
}

function changes(before, wanted) {
  const names = new Set(wanted.map(([name]) => name.toLowerCase()));
  const gone = before.filter(([name]) => !names.has(name)).map(([name]) => [`X-Remove-Container-Meta-${name}`, "x"]);
  return Object.fromEntries([...gone, ...wanted.map(([name, value]) => [`X-Container-Meta-${name}`, value])]);
}

function whole(headers, wanted, type) {
  const kept = KEPT.filter((name) => headers[name]).map((name) => [name, headers[name]]);
  return {
    ...Object.fromEntries(kept),
    "content-type": type,
    ...Object.fromEntries(wanted.map(([name, value]) => [`X-Object-Meta-${name}`, value])),
  };
}

function rows(pairs) {
  const list = h("div", { class: "pairs" });
  const add = (name = "", value = "") => append(list, row(name, value, mark));
  for (const [name, value] of pairs) add(name, value);
  const button = h(
    "button",
    {
      type: "button",
      onclick: () => {
        add();
        list.lastChild.querySelector("input").focus();
      },
    },
    "Add a row",
  );
  const read = () => {
    const found = [...list.children]
      .map((one) => [...one.querySelectorAll("input")].map((input) => input.value.trim()))
      .filter(([name]) => name);
    const bad = found.find(([name]) => !NAME.test(name));
    if (bad) throw new Error(`${bad[0]}: a name consists of letters, digits and dashes.`);
    if (mark()) throw new Error("A name stands there twice.");
    return found;
  };
  function mark() {
    const seen = new Map();
    for (const input of list.querySelectorAll("input.name")) {
      const name = input.value.trim().toLowerCase();
      if (name) seen.set(name, [...(seen.get(name) ?? []), input]);
      input.removeAttribute("aria-invalid");
    }
    const twice = [...seen.values()].filter((inputs) => inputs.length > 1);
    for (const input of twice.flat()) input.setAttribute("aria-invalid", "true");
    return twice.length > 0;
  }
  return { element: h("div", {}, list, button), read };
}

function row(name, value, mark) {
  const element = h(
    "div",
    { class: "pair" },
    h("input", { class: "name", value: name, "aria-label": "Name", placeholder: "Name", spellcheck: "false", oninput: mark }),
    h("input", { value, "aria-label": "Value", placeholder: "Value", spellcheck: "false" }),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": `Remove ${name || "this row"}`,
        onclick: () => {
          element.remove();
          mark();
        },
      },
      "×",
    ),
  );
  return element;
}
