// Zapps: deployed here, run with arguments, opened where they have a page of their own.

import { ask, field } from "../dialog.js";
import { h, replace } from "../dom.js";
import { Jobs } from "../jobs.js";
import { attempt, tell } from "../notice.js";
import { format, go } from "../route.js";
import { accountOf } from "../session.js";
import { inParallel, run as task } from "../tasks.js";
import { appsSection } from "./apps.js";
import { MAP, aboutStored, deploy, inspect, withArguments } from "../zapp.js";

const MOST_CONTAINERS = 1000;
const AT_A_TIME = 6;
const BEGINNING = 262144;

export async function zappsView({ session, store, signal }) {
  const [found, apps] = await Promise.all([zapps(store, signal), appsSection(store, signal)]);
  const cards = found.map((zapp) => card(session, store, zapp));
  const list = h(
    "div",
    { class: "cards" },
    cards.length
      ? cards
      : h("p", { class: "dim" }, "No zapps yet. Make one by “zpm new” and “zpm bundle”, then deploy it here."),
  );
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Zapps"),
      h(
        "div",
        { class: "actions" },
        h(
          "button",
          { type: "button", class: "primary", onclick: () => attempt(() => install(session, store)) },
          "Deploy a zapp…",
        ),
      ),
    ),
    list,
    apps,
  );
}

/** The containers that hold a zapp: {container, map, page}. */
async function zapps(store, signal) {
  const found = [];
  await inParallel(
    await store.containers({ limit: MOST_CONTAINERS, signal }),
    async ({ name }) => {
      const has = async (object) => {
        const page = await store.objects("~", name, { prefix: object, limit: 1, signal }).catch(() => []);
        return page[0]?.name === object;
      };
      if (!(await has(MAP))) return;
      const response = store.get("~", name, MAP, { signal });
      const [map, page] = await Promise.all([response.then((one) => one.json()).catch(() => null), has("index.html")]);
      if (Array.isArray(map)) found.push({ container: name, map, page });
    },
    AT_A_TIME,
  );
  return found.sort((one, other) => one.container.localeCompare(other.container));
}

function card(session, store, { container, map, page }) {
  const summary = h("p", { class: "dim" }, map.map((group) => group?.name).join(", "));
  const form = h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      attempt(start);
    },
  });
  const plain = h("input", { "aria-label": `Arguments for ${container}`, placeholder: "Arguments", name: "arguments" });
  replace(form, plain, h("button", { type: "submit", class: "primary" }, "Run"));
  let words = () => plain.value.trim().split(/\s+/);
  const start = async () =>
    go("jobs", [await new Jobs(session).start(JSON.stringify(withArguments(map, words())), "application/json")]);
  about(store, map).then((known) => {
    const { meta = {}, help = {} } = known;
    if (meta.Summary || help.description)
      replace(summary, [meta.Summary, help.description].filter(Boolean).map(String).join(" "));
    const fields = []
      .concat(help.args ?? [])
      .filter(Array.isArray)
      .map(([, label]) => h("input", { "aria-label": String(label ?? ""), placeholder: String(label ?? "") }));
    if (!fields.length) return;
    replace(form, fields, h("button", { type: "submit", class: "primary" }, "Run"));
    words = () => fields.map((one) => one.value);
  });
  const address = store.url("~", container, "index.html");
  return h(
    "article",
    { class: "card zapp" },
    h("h2", {}, container),
    summary,
    form,
    h(
      "p",
      {},
      h("a", { href: format("map", [container, MAP]) }, "Its map"),
      " · ",
      h("a", { href: format("store", ["~", container]) }, "Its objects"),
      page && [" · ", h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Its own page")],
    ),
  );
}

/** What the zapp says of itself, read from the beginning of its archive. */
async function about(store, map) {
  const image = map.flatMap((group) => group?.devices ?? []).find((device) => device.name === "image")?.path ?? "";
  const [, container, object] = /^swift:\/\/[^/]+\/([^/]+)\/(.+)$/.exec(image) ?? [];
  if (!object) return {};
  try {
    const response = await store.get("~", decodeURIComponent(container), decodeURIComponent(object), {
      headers: { Range: `bytes=0-${BEGINNING - 1}` },
    });
    return await aboutStored(await response.blob());
  } catch {
    return {};
  }
}

async function install(session, store) {
  const file = h("input", { type: "file", accept: ".zapp,.tar,.gz,.tgz", name: "zapp" });
  const container = h("input", { name: "container", spellcheck: "false" });
  file.addEventListener("change", () => {
    container.value ||= (file.files[0]?.name ?? "").replace(/\.(zapp|tar|tgz|tar\.gz)$/, "");
  });
  const chosen = await ask(
    "Deploy a zapp",
    [field("Zapp", file), field("Container", container, "It is made if there is none of this name.")],
    async () => {
      if (!file.files[0] || !container.value.trim()) throw new Error("A zapp and a container, please.");
      const name = container.value.trim();
      if (name.includes("/")) throw new Error("The name of a container has no slash.");
      const zapp = await inspect(file.files[0]);
      const inside = await store.objects("~", name, { limit: 1 }).catch(() => []);
      if (inside.length) throw new Error(`${name} is not empty. Choose another container, or empty it first.`);
      return { zapp, name, file: file.files[0].name };
    },
    { action: "Deploy" },
  );
  if (!chosen) return;
  let left = [];
  const done = await task(`Deploy ${chosen.file}`, async (one) => {
    left = await deploy(store, chosen.name, chosen.file, chosen.zapp, accountOf(session), one);
  });
  if (!done) return;
  dispatchEvent(new Event("zerocloud:refresh"));
  if (left.length)
    setTimeout(() =>
      tell(`${left.join(", ")}: templates of pages are filled in by zpm deploy only. The zapp runs from here all the same.`),
    );
}
