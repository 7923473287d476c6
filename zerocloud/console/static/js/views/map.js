// A system map: written with help, explained as one writes, drawn, run.

import { ask, field } from "../dialog.js";
import { h, replace } from "../dom.js";
import { editor } from "../editor.js";
import { assist } from "../assist.js";
import { count, size } from "../format.js";
import { drawing } from "../graph.js";
import { Refused, request } from "../http.js";
import { Jobs } from "../jobs.js";
import { runnable } from "../kinds.js";
import { attempt, complain, tell } from "../notice.js";
import { graph } from "../plan.js";
import { go } from "../route.js";
import { TEMPLATES, mapFor, pretty } from "../templates.js";

const KEPT = "zerocloud.map";
const MOST_TEXT = 2 * 2 ** 20;
const MOST_PATHS = 50;

export async function mapView({ session, store, route, signal }) {
  const jobs = new Jobs(session);
  const schema = await (await request("system-map.schema.json")).json();
  const plan = h("div", { class: "plan", "aria-live": "polite" });
  const [container, name] = route.parts;
  const text = await beginning(store, route);
  const run = h(
    "button",
    { type: "button", class: "primary", onclick: () => attempt(() => start(jobs, writer.text(), timeout.value, run)) },
    "Run",
  );
  const timeout = h("input", {
    type: "number",
    min: "1",
    class: "short",
    placeholder: "60",
    "aria-label": "Seconds it may take",
    name: "timeout",
  });
  const explain = explainer(jobs, plan, signal);
  const paths = (typed) => stored(store, typed, signal);
  const writer = await editor({
    text,
    language: "json",
    label: "System map",
    onchange: keep,
    onsave: () => attempt(save),
    extensions: (cm) => assist(cm, schema, { explain, paths }),
  });
  const save = () =>
    name && runnable(name, "") === "map"
      ? saveAs(store, writer.text(), container, name)
      : saveAs(store, writer.text(), "", "job.json");
  function keep() {
    sessionStorage.setItem(KEPT, writer.text());
  }
  const templates = h(
    "select",
    {
      "aria-label": "Begin with",
      name: "template",
      onchange: () => {
        writer.replaceText(pretty(TEMPLATES[templates.value][1]));
        templates.value = "";
      },
    },
    h("option", { value: "" }, "Begin with…"),
    TEMPLATES.map(([title], index) => h("option", { value: index }, title)),
  );
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", {}, name ? `Run ${name}` : "Run a job"),
      h(
        "div",
        { class: "actions" },
        templates,
        h("label", { class: "inline" }, "Seconds", timeout),
        h("button", { type: "button", onclick: () => attempt(save) }, "Save as…"),
        run,
      ),
    ),
    h("div", { class: "split" }, writer.element, plan),
  );
}

/** What is in the editor at first: the object of the URL, what was last typed in this tab, or a template. */
async function beginning(store, route) {
  const [container, name] = route.parts;
  const account = route.query.get("account") || "~";
  if (!name) return sessionStorage.getItem(KEPT) ?? pretty(TEMPLATES[0][1]);
  const headers = await store.head(account, container, name);
  const kind = runnable(name, headers["content-type"]);
  if (kind !== "map") return pretty(mapFor(kind, account, container, name));
  if (Number(headers["content-length"]) > MOST_TEXT)
    throw new Error(`${name} has ${size(Number(headers["content-length"]))}: too large for a map.`);
  return (await store.get(account, container, name)).text();
}

/** Asks the cluster what the map would do, and draws it; gives its complaints to the editor. */
function explainer(jobs, plan, signal) {
  let last = null;
  return async (text, mistaken) => {
    last?.abort();
    last = new AbortController();
    signal.addEventListener("abort", () => last.abort());
    try {
      show(plan, await jobs.explain(text, last.signal));
      return [];
    } catch (error) {
      if (error.name === "AbortError") return [];
      if (!(error instanceof Refused)) complain(error);
      else if (!error.problems.length && !mistaken) replace(plan, h("p", { class: "problem" }, error.message));
      else replace(plan, problems(error.problems));
      return error.problems ?? [];
    }
  };
}

function problems(list) {
  const items = list.map((one) =>
    h("li", {}, h("code", {}, one.pointer || "/"), " ", [one.reason, one.cure].filter(Boolean).join(". ")),
  );
  return h("div", { class: "card" }, h("h2", {}, count(list.length, "mistake")), h("ul", { class: "mistakes" }, items));
}

function show(plan, explanation) {
  const { totals } = explanation;
  const said = [
    count(totals.nodes, "node"),
    totals.sessions !== totals.nodes && count(totals.sessions, "session"),
    count(totals.connections, "connection"),
    `${size(totals.local_bytes)} read where they lie`,
    `${size(totals.fetched_bytes)} to be sent`,
  ];
  const rows = explanation.nodes
    .slice(0, 100)
    .map((node) =>
      h("tr", {}, h("th", { scope: "row" }, node.name), h("td", {}, node.servers[0] ?? "anywhere"), h("td", {}, node.why)),
    );
  replace(
    plan,
    h("p", { class: "dim" }, said.filter(Boolean).join(" · ")),
    drawing(graph(explanation)).element,
    h(
      "details",
      {},
      h("summary", {}, "Where each node would run"),
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Node", "Server", "Why"].map((title) => h("th", { scope: "col" }, title)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
}

async function start(jobs, text, timeout, button) {
  button.disabled = true;
  try {
    const id = await jobs.start(text, "application/json", timeout ? { "X-Zerovm-Timeout": timeout } : {});
    go("jobs", [id]);
  } finally {
    button.disabled = false;
  }
}

/** Names for completion behind swift://~/: containers, or what is in one. */
async function stored(store, typed, signal) {
  const slash = typed.indexOf("/");
  try {
    if (slash < 0)
      return (await store.containers({ prefix: typed, limit: MOST_PATHS, signal })).map((entry) => `${entry.name}/`);
    const container = typed.slice(0, slash);
    const found = await store.objects("~", container, {
      prefix: typed.slice(slash + 1),
      delimiter: "/",
      limit: MOST_PATHS,
      signal,
    });
    return found.map((entry) => `${container}/${entry.subdir ?? entry.name}`);
  } catch {
    return [];
  }
}

async function saveAs(store, text, container, name) {
  const where = h("input", {
    value: container ? `${container}/${name}` : "",
    placeholder: "container/name.json",
    spellcheck: "false",
    name: "path",
  });
  const done = await ask(
    "Save the map",
    field("Container and name", where),
    async () => {
      const [, into, as] = /^([^/]+)\/(.+)$/.exec(where.value.trim()) ?? [];
      if (!as) throw new Error("A container, a slash and a name, please.");
      await store.put("~", into, as, text, { "Content-Type": "application/json" });
      return where.value;
    },
    { action: "Save" },
  );
  if (done) tell(`${done} is saved.`);
}
