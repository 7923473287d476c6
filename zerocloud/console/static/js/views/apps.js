// The account's HTML applications: added from a zip, opened in tabs of their own.

import { HOME, addressOf, apps, inspect, install, remove } from "../apps.js";
import { ask, confirm, field } from "../dialog.js";
import { h } from "../dom.js";
import { attempt } from "../notice.js";
import { run } from "../tasks.js";

const refresh = () => dispatchEvent(new Event("zerocloud:refresh"));

/** The section with a card for each. */
export async function appsSection(store, signal) {
  const cards = (await apps(store, signal)).map((app) => card(store, app));
  const nothing = h(
    "p",
    { class: "dim" },
    "No apps yet. An app is a zip of HTML pages with an index.html and a manifest.json.",
  );
  const add = h("button", { type: "button", onclick: () => attempt(() => added(store)) }, "Add an app…");
  return h(
    "section",
    {},
    h("div", { class: "title" }, h("h2", {}, "Apps"), h("div", { class: "actions" }, add)),
    h("div", { class: "cards" }, cards.length ? cards : nothing),
  );
}

function card(store, { folder, manifest }) {
  const said = (key) => (typeof manifest[key] === "string" ? manifest[key] : "");
  const name = said("name") || folder;
  const picture = addressOf(store, folder, said("icon"));
  const about = [said("version") && `Version ${said("version")}`, said("author") && `by ${said("author")}`].filter(Boolean);
  const home = /^https?:\/\//.test(said("homepage")) && said("homepage");
  const outside = { target: "_blank", rel: "noopener noreferrer" };
  return h(
    "article",
    { class: "card app" },
    h("h3", {}, picture && h("img", { src: picture, alt: "", width: "24", height: "24" }), name),
    h(
      "p",
      { class: "dim" },
      about.join(" "),
      home && [about.length > 0 && " · ", h("a", { href: home, ...outside }, "Its home page")],
    ),
    h(
      "div",
      { class: "actions" },
      h("a", { class: "button", href: addressOf(store, folder), ...outside, "aria-label": `Open ${name}` }, "Open"),
      h(
        "button",
        { type: "button", "aria-label": `Remove ${name}…`, onclick: () => attempt(() => removed(store, folder, name)) },
        "Remove…",
      ),
    ),
  );
}

async function added(store) {
  const file = h("input", { type: "file", accept: ".zip", name: "app" });
  const app = await ask(
    "Add an app",
    [
      field("Zip", file),
      h(
        "p",
        { class: "dim" },
        `It is stored in the container ${HOME}, which everybody may read: its page has a tab of its own, without your token.`,
      ),
    ],
    async () => {
      if (!file.files[0]) throw new Error("A zip, please.");
      return inspect(file.files[0]);
    },
    { action: "Add" },
  );
  if (app && (await run(`Add ${app.folder}`, (task) => install(store, app, task)))) refresh();
}

async function removed(store, folder, name) {
  if (!(await confirm(`Remove ${name}?`, "All its files will be deleted. There is no way back.", "Remove"))) return;
  await remove(store, folder);
  refresh();
}
