// The sessions of a job as bars in time: waiting, transfer, running, publishing.

import { h, replace, svg } from "./dom.js";
import { duration } from "./format.js";

const ROW = 24;
const LABEL = 150;
const WIDTH = 900;
const TOP = 26;
const MOST_ROWS = 200;
const PARTS = [
  ["wait", "waiting", "created", "admitted"],
  ["transfer", "transfer and start", "admitted", "started"],
  ["run", "running", "started", "ended"],
  ["publish", "storing outputs", "ended", "published"],
];

/** The parts of a session's time in seconds since the job's beginning: [{part, title, from, to}]. Pure. */
export function spans(row, created, now) {
  const at = (name) => (name === "created" ? created : row[name] ? Date.parse(row[name]) : null);
  const found = [];
  for (const [part, title, begin, end] of PARTS) {
    const from = at(begin);
    if (from === null) continue;
    const to = at(end) ?? next(row, end, at) ?? (row.ended ? null : now);
    if (to !== null && to >= from) found.push({ part, title, from: (from - created) / 1000, to: (to - created) / 1000 });
    if (at(end) === null) break;
  }
  return found;
}

/** A part that was skipped ends where the session did. */
function next(row, end, at) {
  return end === "published" ? null : at("ended");
}

/** {element, show(job, now)}: `job` as the HTTP API shows it. */
export function timeline() {
  const sheet = h("div", { class: "bars" });
  const element = h("figure", { class: "timeline" }, legend(), sheet);
  return { element, show: (job, now = Date.now()) => draw(sheet, job, now) };
}

function draw(sheet, job, now) {
  const created = Date.parse(job.created);
  const rows = job.table.slice(0, MOST_ROWS).map((row) => ({ row, spans: spans(row, created, now) }));
  const end = Math.max(
    0.001,
    ((job.ended ? Date.parse(job.ended) : now) - created) / 1000,
    ...rows.flatMap((one) => one.spans.map((span) => span.to)),
  );
  const x = (seconds) => LABEL + (seconds / end) * (WIDTH - LABEL - 10);
  const height = TOP + rows.length * ROW + 6;
  const ticks = steps(end).map((at) =>
    svg(
      "g",
      { class: "tick" },
      svg("line", { x1: x(at), x2: x(at), y1: TOP - 6, y2: height }),
      svg("text", { x: x(at), y: 14 }, duration(at)),
    ),
  );
  replace(
    sheet,
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": "Sessions in time; the table below has the numbers" },
      ticks,
      rows.map((one, index) => bar(one, TOP + index * ROW, x)),
    ),
    job.table.length > MOST_ROWS && h("p", { class: "dim" }, `The first ${MOST_ROWS} of ${job.table.length} sessions.`),
  );
}

function bar({ row, spans: parts }, y, x) {
  const told = parts.map((one) => `${one.title} ${duration(one.to - one.from)}`).join(", ");
  return svg(
    "g",
    { class: `session ${row.state}` },
    svg("title", {}, `${row.name}: ${row.state}; ${told}`),
    svg("text", { x: LABEL - 8, y: y + 16, class: "name" }, row.name.length > 18 ? `${row.name.slice(0, 17)}…` : row.name),
    parts.map((one) =>
      svg("rect", {
        class: one.part,
        x: x(one.from),
        y: y + 4,
        width: Math.max(1.5, x(one.to) - x(one.from)),
        height: ROW - 8,
        rx: 2,
      }),
    ),
  );
}

function steps(end) {
  const rough = end / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}

function legend() {
  return h(
    "figcaption",
    { class: "legend" },
    PARTS.map(([part, title]) => h("span", {}, h("i", { class: `key ${part}` }), title)),
  );
}
