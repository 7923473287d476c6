// One job: its nodes live on the plan and in time, what it answered, what went wrong.

import { h, replace } from "../dom.js";
import { download } from "../download.js";
import { drawing } from "../graph.js";
import { ENDED, Jobs } from "../jobs.js";
import { attempt, complain } from "../notice.js";
import { graph } from "../plan.js";
import { pretty } from "../templates.js";
import { timeline } from "../timeline.js";
import { answer } from "./answer.js";
import { jobHead } from "./jobhead.js";
import { failures, table } from "./sessions.js";

const REDRAW = 250;

export async function jobView({ session, store, route, signal }) {
  const jobs = new Jobs(session);
  const id = route.parts[0];
  const job = await jobs.show(id, signal);
  const head = jobHead(jobs, job);
  const parts = { plan: h("div"), time: timeline(), sessions: h("div"), failures: h("div"), answer: h("div") };
  const plan = await planOf(jobs, job, parts.plan, signal);
  const tick = () => {
    head.tick();
    parts.time.show(job);
  };
  const draw = () => {
    head.show();
    plan.show(job.table);
    replace(parts.sessions, table(job));
    tick();
  };
  draw();
  follow({ jobs, job, parts, draw, tick, store, signal }).catch((error) => signal.aborted || complain(error));
  return h(
    "section",
    { class: "job" },
    head.element,
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

/** Take in what happens until the end: everything is redrawn when something has, what tells of time as it goes by. */
async function follow({ jobs, job, parts, draw, tick, store, signal }) {
  if (!ENDED.has(job.state)) {
    let stale = false;
    const redraw = () => {
      (stale ? draw : tick)();
      stale = false;
    };
    const clock = setInterval(redraw, REDRAW);
    signal.addEventListener("abort", () => clearInterval(clock));
    try {
      for await (const { event, data } of jobs.watch(job.id, signal)) {
        take(job, event, data);
        stale = true;
      }
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
