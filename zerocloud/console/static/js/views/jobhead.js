// What stands above a job: its state, what can be done with it, its numbers. Buttons are only made anew when they change, so
// that nobody's focus or half a click is lost while a job runs.

import { confirm } from "../dialog.js";
import { h, replace } from "../dom.js";
import { duration, size, when } from "../format.js";
import { ENDED } from "../jobs.js";
import { attempt } from "../notice.js";
import { go } from "../route.js";
import { pretty } from "../templates.js";

const MAP = "zerocloud.map";

/** {element, show(job), tick(job)}: `show` after something has happened, `tick` as time goes on. */
export function jobHead(jobs, job) {
  const state = h("span", { role: "status" });
  const actions = h("div", { class: "actions" });
  const error = h("div");
  const time = h("dd");
  const facts = h("dl", { class: "facts" });
  const title = h("div", { class: "title" }, h("h1", {}, "Job ", h("code", {}, job.id)), state, actions);
  let over = null;

  function show() {
    if (over !== ENDED.has(job.state)) {
      over = ENDED.has(job.state);
      replace(actions, buttons(jobs, job, over));
    }
    state.className = `state ${job.state}`;
    replace(state, job.state);
    replace(error, job.error && h("p", { class: "notice problem" }, job.error));
    replace(facts, rows(job, time));
    tick();
  }

  function tick() {
    const end = job.ended ? Date.parse(job.ended) : Date.now();
    replace(time, duration((end - Date.parse(job.created)) / 1000));
  }

  return { element: h("div", {}, title, error, facts), show, tick };
}

function rows(job, time) {
  const counts = Object.entries(job.counts ?? {}).map(([state, number]) => `${number} ${state}`);
  const row = (title, ...value) => h("div", {}, h("dt", {}, title), h("dd", {}, value));
  return [
    row("Started", when(new Date(job.created))),
    h("div", {}, h("dt", {}, "Time"), time),
    row("Sessions", counts.join(", ")),
    row("Limit", `${job.timeout} s`),
    job.status && row("Status", job.status),
    job.body && row("Answer", size(job.body.size)),
  ];
}

function buttons(jobs, job, over) {
  const one = (title, kind, work) => h("button", { type: "button", class: kind, onclick: () => attempt(work) }, title);
  return [
    !over && one("Cancel", "danger", () => cancel(jobs, job)),
    one("Edit map", "", () => edit(job)),
    over && one("Run again", "primary", () => rerun(jobs, job)),
  ];
}

/** Ask, then end the job. Returns whether it was asked to end. */
export async function cancel(jobs, job) {
  const sure = await confirm("Cancel this job?", "Its sessions are killed, and nothing more is stored.", "Cancel the job");
  if (sure) await jobs.cancel(job.id);
  return sure;
}

/** Start the same map again, and go there. */
export async function rerun(jobs, job) {
  const { map, timeout } = job.map ? job : await jobs.show(job.id);
  go("jobs", [await jobs.start(JSON.stringify(map), "application/json", { "X-Zerovm-Timeout": String(timeout) })]);
}

function edit(job) {
  sessionStorage.setItem(MAP, pretty(job.map));
  go("map");
}
