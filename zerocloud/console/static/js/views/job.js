// One job: its nodes live on the plan and in time, what it answered, what went wrong.

import { confirm } from "../dialog.js";
import { h, replace } from "../dom.js";
import { download } from "../download.js";
import { duration, size, when } from "../format.js";
import { drawing } from "../graph.js";
import { ENDED, Jobs } from "../jobs.js";
import { attempt, complain } from "../notice.js";
import { graph } from "../plan.js";
import { go } from "../route.js";
import { pretty } from "../templates.js";
import { timeline } from "../timeline.js";
import { answer } from "./answer.js";
import { failures, table } from "./sessions.js";

const REDRAW = 250;
const MAP = "zerocloud.map";

export async function jobView({ session, store, route, signal }) {
  const jobs = new Jobs(session);
  const id = route.parts[0];
  const job = await jobs.show(id, signal);
  const parts = { head: h("div"), plan: h("div"), time: timeline(), sessions: h("div"), failures: h("div"), answer: h("div") };
  const plan = await planOf(jobs, job, parts.plan, signal);
  const draw = () => {
    replace(parts.head, head(jobs, job));
    plan.show(job.table);
    parts.time.show(job);
    replace(parts.sessions, table(job));
  };
  draw();
  follow({ jobs, job, parts, draw, store, signal }).catch((error) => signal.aborted || complain(error));
  return h(
    "section",
    { class: "job" },
    parts.head,
    parts.failures,
    parts.answer,
    h("h2", {}, "Plan"),
    parts.plan,
    h("h2", {}, "Time"),
    parts.time.element,
    h("h2", {}, "Sessions"),
    parts.sessions,
    h("details", {}, h("summary", {}, "System map"), h("pre", { class: "output" }, pretty(job.map))),
  );
}

/** Take in what happens until the end; redraw as time goes on. */
async function follow({ jobs, job, parts, draw, store, signal }) {
  if (!ENDED.has(job.state)) {
    const clock = setInterval(draw, REDRAW);
    signal.addEventListener("abort", () => clearInterval(clock));
    try {
      for await (const { event, data } of jobs.watch(job.id, signal)) take(job, event, data);
    } finally {
      clearInterval(clock);
    }
    Object.assign(job, await jobs.show(job.id, signal));
    draw();
  }
  replace(parts.failures, failures(job));
  replace(parts.answer, await answer(jobs, job, (path) => attempt(() => fetchAll(store, path, job)), signal));
}

function take(job, event, data) {
  if (event !== "node") {
    Object.assign(job, data.state ? data : {});
    return;
  }
  const index = job.table.findIndex((row) => row.id === data.id);
  if (index < 0) job.table.push(data);
  else job.table[index] = data;
}

function fetchAll(store, path, job) {
  const [, account, container, object] = /^swift:\/\/([^/]+)\/([^/]+)\/(.+)$/s.exec(path);
  return download(store, account, container, object, job.body?.size ?? 0);
}

/** The plan as it is now: what a wildcard matches may have changed since. Where there is none the table must do. */
async function planOf(jobs, job, place, signal) {
  try {
    const drawn = drawing(graph(await jobs.explain(JSON.stringify(job.map), signal)));
    replace(place, drawn.element);
    return drawn;
  } catch (error) {
    if (signal.aborted) throw error;
    replace(place, h("p", { class: "dim" }, "What the map names has changed since, so its plan can't be drawn any more."));
    return { show: () => undefined };
  }
}

function head(jobs, job) {
  const over = ENDED.has(job.state);
  const seconds = ((job.ended ? Date.parse(job.ended) : Date.now()) - Date.parse(job.created)) / 1000;
  const counts = Object.entries(job.counts ?? {})
    .map(([state, number]) => `${number} ${state}`)
    .join(", ");
  const facts = [
    ["Started", when(new Date(job.created))],
    ["Time", duration(seconds)],
    ["Sessions", counts],
    ["Limit", `${job.timeout} s`],
    job.status && ["Status", job.status],
    job.body && ["Answer", size(job.body.size)],
  ].filter(Boolean);
  return [
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Job ", h("code", {}, job.id)),
      h("span", { class: `state ${job.state}`, role: "status" }, job.state),
      h(
        "div",
        { class: "actions" },
        !over && h("button", { type: "button", class: "danger", onclick: () => attempt(() => cancel(jobs, job)) }, "Cancel"),
        h("button", { type: "button", onclick: () => edit(job) }, "Edit map"),
        over && h("button", { type: "button", class: "primary", onclick: () => attempt(() => rerun(jobs, job)) }, "Run again"),
      ),
    ),
    job.error && h("p", { class: "notice problem" }, job.error),
    h(
      "dl",
      { class: "facts" },
      facts.map(([title, value]) => h("div", {}, h("dt", {}, title), h("dd", {}, value))),
    ),
  ];
}

async function cancel(jobs, job) {
  if (await confirm("Cancel this job?", "Its sessions are killed, and nothing more is stored.", "Cancel the job"))
    await jobs.cancel(job.id);
}

/** Start the same map again. */
export async function rerun(jobs, job) {
  const { map, timeout } = job.map ? job : await jobs.show(job.id);
  go("jobs", [await jobs.start(JSON.stringify(map), "application/json", { "X-Zerovm-Timeout": String(timeout) })]);
}

function edit(job) {
  sessionStorage.setItem(MAP, pretty(job.map));
  go("map");
}
