// Who may read and write a container, besides its owner.

import { ask, field } from "../dialog.js";
import { h } from "../dom.js";
import { tell } from "../notice.js";

const ANYONE = ".r:*";
const LISTINGS = ".rlistings";

/** Edit it in a dialog. */
export async function editAccess(store, container) {
  const headers = await store.head("~", container);
  const read = h("input", {
    value: headers["x-container-read"] ?? "",
    spellcheck: "false",
    name: "read",
    oninput: () => show(),
  });
  const write = h("input", { value: headers["x-container-write"] ?? "", spellcheck: "false", name: "write" });
  const anyone = box("Anyone may read the objects", () => toggle(ANYONE, anyone));
  const lists = box("Anyone may list them", () => toggle(LISTINGS, lists));
  const toggle = (word, element) => {
    const others = words(read.value).filter((one) => one !== word);
    read.value = [...others, ...(element.firstChild.checked ? [word] : [])].join(",");
  };
  const show = () => {
    anyone.firstChild.checked = words(read.value).includes(ANYONE);
    lists.firstChild.checked = words(read.value).includes(LISTINGS);
  };
  show();
  const fields = [
    anyone,
    lists,
    field("May read", read, "ACCOUNT:USER, separated by commas; .r:*.example.org for pages there"),
    field("May write", write, "ACCOUNT:USER, separated by commas"),
  ];
  const done = await ask(
    `Access to ${container}`,
    fields,
    async () => {
      await store.post("~", container, undefined, {
        "X-Container-Read": read.value.trim(),
        "X-Container-Write": write.value.trim(),
      });
      return true;
    },
    { action: "Save" },
  );
  if (done) tell(`Access to ${container} is saved.`);
}

function words(text) {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
}

function box(title, onchange) {
  return h("label", { class: "box" }, h("input", { type: "checkbox", onchange }), title);
}
