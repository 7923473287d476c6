// What the account has used: its jobs over time, and what it stores.

import { h } from "../dom.js";
import { count, duration, size } from "../format.js";
import { Jobs } from "../jobs.js";
import { plot } from "../plot.js";
import { go } from "../route.js";
import { accounting } from "./sessions.js";
import { inParallel } from "../tasks.js";

const HOUR = 3600000;
const RANGES = { hour: [HOUR, 60000], day: [24 * HOUR, HOUR], week: [7 * 24 * HOUR, 6 * HOUR] };
const TITLES = { hour: "Last hour", day: "Last day", week: "Last week" };
const MOST_JOBS = 2000;
const MOST_DETAILS = 200;

export async function usageView({ session, store, route, signal }) {
  const range = RANGES[route.query.get("range")] ? route.query.get("range") : "day";
  const jobs = new Jobs(session);
  const [found, head, containers] = await Promise.all([
    recent(jobs, Date.now() - RANGES[range][0], signal),
    store.head("~"),
    store.containers({ limit: 1000, signal }),
  ]);
  const used = await details(jobs, found.slice(0, MOST_DETAILS), signal);
  const slots = bars(range, found);
  const select = h(
    "select",
    { "aria-label": "Time", name: "range", onchange: () => go("usage", [], { range: select.value }) },
    Object.entries(TITLES).map(([value, title]) => h("option", { value }, title)),
  );
  select.value = range;
  const number = (value) => value.toLocaleString(undefined, { maximumFractionDigits: 1 });
  const sum = (slot, value) => slot.jobs.reduce((total, job) => total + value(job), 0);
  const cpu = (job) => used.get(job.id)?.cpu ?? 0;
  const bytes = (job) => used.get(job.id)?.bytes ?? 0;
  return h(
    "section",
    {},
    h(
      "div",
      { class: "title" },
      h("h1", {}, "Usage"),
      h("p", { class: "dim" }, summary(head, found)),
      h("div", { class: "actions" }, select),
    ),
    h(
      "div",
      { class: "plots" },
      plot(
        "Jobs",
        slots.map((slot) => ({
          label: slot.label,
          parts: [
            ["succeeded", sum(slot, (job) => job.state === "succeeded")],
            ["failed", sum(slot, (job) => ["failed", "lost"].includes(job.state))],
            ["cancelled", sum(slot, (job) => job.state === "cancelled")],
          ],
        })),
        number,
      ),
      plot(
        "Processor time",
        slots.map((slot) => ({ label: slot.label, parts: [["run", sum(slot, cpu)]] })),
        duration,
      ),
      plot(
        "Bytes that passed through programs",
        slots.map((slot) => ({ label: slot.label, parts: [["transfer", sum(slot, bytes)]] })),
        (value) => size(Math.round(value)),
        1024,
      ),
    ),
    found.length > MOST_DETAILS && h("p", { class: "dim" }, `Processor time and bytes are of the newest ${MOST_DETAILS} jobs.`),
    stored(containers),
  );
}

function summary(head, found) {
  return `${count(Number(head["x-account-container-count"] ?? 0), "container")}, ${size(Number(head["x-account-bytes-used"] ?? 0))} stored, ${count(found.length, "job")} in this time`;
}

async function recent(jobs, since, signal) {
  const found = [];
  for (let marker = ""; marker !== null && found.length < MOST_JOBS;) {
    const page = await jobs.list({ marker, limit: 1000, signal });
    const young = page.jobs.filter((job) => Date.parse(job.created) >= since);
    found.push(...young);
    marker = young.length < page.jobs.length ? null : page.next;
  }
  return found;
}

/** Processor seconds and bytes of each job, from its accounting lines. A job that has vanished meanwhile has none. */
async function details(jobs, list, signal) {
  const used = new Map();
  await inParallel(
    list,
    async ({ id }) => {
      const job = await jobs.show(id, signal).catch(() => null);
      const lines = (job?.table ?? []).map((row) => accounting(row.cdr)).filter(Boolean);
      const sum = (value) => lines.reduce((total, line) => total + value(line), 0);
      used.set(id, {
        cpu: sum((line) => line.system + line.user),
        bytes: sum((line) => line.read + line.written + line.netRead + line.netWritten),
      });
    },
    6,
  );
  return used;
}

function bars(range, jobs) {
  const [length, step] = RANGES[range];
  const end = Math.ceil(Date.now() / step) * step;
  const text = new Intl.DateTimeFormat(
    undefined,
    range === "week" ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" },
  );
  return Array.from({ length: length / step }, (_, index) => {
    const from = end - length + index * step;
    return {
      label: text.format(from),
      jobs: jobs.filter((job) => Date.parse(job.created) >= from && Date.parse(job.created) < from + step),
    };
  });
}

function stored(containers) {
  const largest = [...containers]
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, 10)
    .filter((entry) => entry.bytes);
  if (!largest.length) return null;
  const most = largest[0].bytes;
  return h(
    "section",
    {},
    h("h2", {}, "Largest containers"),
    h(
      "table",
      { class: "sizes" },
      h(
        "tbody",
        {},
        largest.map((entry) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, entry.name),
            h("td", {}, h("meter", { min: 0, max: most, value: entry.bytes, "aria-label": size(entry.bytes) })),
            h("td", { class: "number" }, size(entry.bytes)),
          ),
        ),
      ),
    ),
  );
}
