// The table of a job's sessions, and the stories of those that failed.

import { h } from "../dom.js";
import { duration, size } from "../format.js";
import { spans } from "../timeline.js";

const MOST = 500;
const COLUMNS = ["Node", "State", "Server", "Attempts", "Wait", "Run", "CPU", "Read", "Written", "Network", "Exit"];
// The ten numbers of an accounting line: system and user time, then reads, bytes read, writes, bytes written of files and network.
const CDR = ["system", "user", "reads", "read", "writes", "written", "netReads", "netRead", "netWrites", "netWritten"];

const plain = (number) => number.toLocaleString();
const ACCOUNTED = [
  ["System time", "system", duration],
  ["User time", "user", duration],
  ["Reads", "reads", plain],
  ["Bytes read", "read", plain],
  ["Writes", "writes", plain],
  ["Bytes written", "written", plain],
  ["Network reads", "netReads", plain],
  ["Bytes received", "netRead", plain],
  ["Network writes", "netWrites", plain],
  ["Bytes sent", "netWritten", plain],
];

/** The numbers of an accounting line by their names; null for none. */
export function accounting(cdr) {
  const numbers = Array.isArray(cdr)
    ? cdr.map(Number)
    : String(cdr ?? "")
        .trim()
        .split(/[\s,]+/)
        .map(Number);
  if (numbers.length < CDR.length || numbers.some(Number.isNaN)) return null;
  return Object.fromEntries(CDR.map((name, index) => [name, numbers.at(index - CDR.length)]));
}

/** A line for each session. */
export function table(job) {
  const created = Date.parse(job.created);
  const rows = job.table.slice(0, MOST).map((row) => line(row, created));
  const rest = job.table.length - rows.length + (job.omitted ?? 0);
  return h(
    "div",
    { class: "scroll wide" },
    h(
      "table",
      { class: "sessions" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          COLUMNS.map((title) => h("th", { scope: "col" }, title)),
        ),
      ),
      h("tbody", {}, rows),
    ),
    rest > 0 && h("p", { class: "more dim" }, `${rest} more`),
    numbers(job.table.slice(0, MOST)),
  );
}

/** Everything that was counted, a line for each session that has an account. */
function numbers(rows) {
  const counted = rows.map((row) => [row.name, accounting(row.cdr)]).filter(([, used]) => used);
  if (!counted.length) return null;
  const heads = ["Node", ...ACCOUNTED.map(([title]) => title)].map((title) => h("th", { scope: "col" }, title));
  const lines = counted.map(([name, used]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      ACCOUNTED.map(([, key, show]) => h("td", { class: "number" }, show(used[key]))),
    ),
  );
  return h(
    "details",
    {},
    h("summary", {}, "All that was counted"),
    h("table", { class: "counted" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, lines)),
  );
}

function line(row, created) {
  const found = Object.fromEntries(spans(row, created, Date.now()).map((one) => [one.part, duration(one.to - one.from)]));
  const used = accounting(row.cdr);
  const cells = [
    row.server ?? "",
    row.attempts,
    found.wait ?? "",
    found.run ?? "",
    used && duration(used.system + used.user),
    used && size(used.read),
    used && size(used.written),
    used && size(used.netRead + used.netWritten),
    row.exit_code ?? "",
  ];
  return h(
    "tr",
    { title: row.error || row.status || "" },
    h("th", { scope: "row" }, row.name),
    h("td", {}, h("span", { class: `state ${row.state}` }, row.state)),
    cells.map((cell) => h("td", {}, cell ?? "")),
  );
}

/** What failed, and what it said last. */
export function failures(job) {
  const named = new Map(job.table.map((row) => [String(row.id), row]));
  const parts = Object.entries(job.failures ?? {}).map(([id, { story, stderr }]) => {
    const row = named.get(id);
    return h(
      "article",
      { class: "card failure" },
      h("h3", {}, `${row?.name ?? `session ${id}`} failed`),
      row?.error && h("p", {}, row.error),
      stderr && [h("h4", {}, "Its last words on stderr"), h("pre", { class: "output" }, stderr)],
      h(
        "details",
        {},
        h("summary", {}, "What happened to it"),
        h(
          "ol",
          { class: "story" },
          story.map(([at, text]) => h("li", {}, h("span", { class: "dim" }, duration(at)), " ", text)),
        ),
      ),
    );
  });
  return parts.length ? h("section", {}, h("h2", {}, "What went wrong"), parts) : null;
}
