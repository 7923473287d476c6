// The account's jobs, newest first.

import { h } from "../dom.js";
import { age, duration } from "../format.js";
import { ENDED, Jobs, STATES } from "../jobs.js";
import { listing } from "../listing.js";
import { menu } from "../menu.js";
import { attempt } from "../notice.js";
import { format, go } from "../route.js";
import { cancel, rerun } from "./jobhead.js";

const COLUMNS = ["Job", "State", "Nodes", "Time", "Started", "Actions"];
const PAGE = 100;

export async function jobsView({ session, route, signal }) {
  const jobs = new Jobs(session);
  const state = route.query.get("state") ?? "";
  const search = route.query.get("search") ?? "";
  const pages = pager(jobs, state, search, signal);
  const table = await listing({
    caption: "Jobs",
    columns: COLUMNS,
    pageSize: 1,
    signal,
    load: pages,
    marker: (job) => job.id,
    row: (job) => row(jobs, job),
    empty: state || search ? "No job is like this." : "No jobs yet.",
  });
  const states = h(
    "select",
    { "aria-label": "State", name: "state", onchange: () => go("jobs", [], { state: states.value, search }) },
    h("option", { value: "" }, "Any state"),
    STATES.map((one) => h("option", { value: one }, one)),
  );
  states.value = state;
  const words = h("input", {
    type: "search",
    placeholder: "Part of an id",
    "aria-label": "Search",
    name: "search",
    value: search,
    onchange: () => go("jobs", [], { state, search: words.value.trim() }),
  });
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Jobs"),
      h(
        "div",
        { class: "actions" },
        words,
        states,
        h("button", { type: "button", onclick: () => dispatchEvent(new Event("zerocloud:refresh")) }, "Refresh"),
        h("a", { class: "button primary", href: "#/map" }, "New job"),
      ),
    ),
    table,
  );
}

/** Pages of jobs whose id has the searched text: as many of the server's pages as it takes to find some. */
function pager(jobs, state, search, signal) {
  let next = "";
  return async () => {
    while (next !== null) {
      const page = await jobs.list({ marker: next, state, limit: PAGE, signal });
      next = page.next;
      const found = page.jobs.filter((job) => job.id.includes(search));
      if (found.length) return found;
    }
    return [];
  };
}

function row(jobs, job) {
  const refresh = () => dispatchEvent(new Event("zerocloud:refresh"));
  const over = ENDED.has(job.state);
  const seconds = ((job.ended ? Date.parse(job.ended) : Date.now()) - Date.parse(job.created)) / 1000;
  const actions = menu(`Actions for job ${job.id}`, [
    over
      ? ["Run again", () => attempt(() => rerun(jobs, job))]
      : ["Cancel…", () => attempt(async () => (await cancel(jobs, job)) && refresh()), "danger"],
  ]);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: format("jobs", [job.id]) }, job.id)),
    h("td", {}, h("span", { class: `state ${job.state}` }, job.state)),
    h("td", { class: "number", "data-title": "Nodes" }, job.nodes),
    h("td", { class: "number", "data-title": "Time" }, job.state === "lost" ? "" : duration(seconds)),
    h("td", { "data-title": "Started" }, age(new Date(job.created))),
    h("td", { class: "end" }, actions),
  );
}
