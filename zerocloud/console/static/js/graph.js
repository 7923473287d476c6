// The plan drawn: boxes and arrows, and how each box is doing.

import { h, svg, replace } from "./dom.js";
import { layered } from "./layout.js";

const BOX = { width: 168, height: 50, across: 64, down: 18, margin: 12 };
const LETTERS = 18;

/** A drawing of {vertices, edges}: {element, show(rows)}; `rows` are the lines of a job's table, by which boxes are coloured. */
export function drawing({ vertices, edges }) {
  const { places, layers, rows } = layered(
    vertices.map((one) => one.id),
    edges,
  );
  const width = layers * (BOX.width + BOX.across) - BOX.across + 2 * BOX.margin;
  const height = rows * (BOX.height + BOX.down) - BOX.down + 2 * BOX.margin;
  const corner = (id) => {
    const { layer, row } = places.get(id);
    return { x: BOX.margin + layer * (BOX.width + BOX.across), y: BOX.margin + row * (BOX.height + BOX.down) };
  };
  const boxes = vertices.map((vertex) => ({ vertex, ...box(vertex, corner(vertex.id)) }));
  const lines = edges
    .filter(([from, to]) => places.has(from) && places.has(to))
    .map(([from, to, label]) => arrow(corner(from), corner(to), label));
  const sheet = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `The plan: ${vertices
        .map((one) => one.title)
        .slice(0, 20)
        .join(", ")}`,
    },
    svg(
      "defs",
      {},
      svg(
        "marker",
        { id: "arrow", viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "7", markerHeight: "7", orient: "auto" },
        svg("path", { d: "M0 0 8 4 0 8z", class: "tip" }),
      ),
    ),
    lines,
    boxes.map((one) => one.element),
  );
  const show = (table) => {
    const byName = new Map();
    for (const row of table) byName.set(row.name, [...(byName.get(row.name) ?? []), row]);
    for (const one of boxes)
      if (one.vertex.members)
        paint(
          one,
          one.vertex.members.flatMap((name) => byName.get(name) ?? []),
        );
  };
  return { element: h("div", { class: "graph", tabindex: "0", role: "group", "aria-label": "Plan" }, sheet), show };
}

function box(vertex, { x, y }) {
  const note = svg("text", { x: x + 10, y: y + 38, class: "note" }, shorten(vertex.note ?? ""));
  const element = svg(
    "g",
    { class: `box ${vertex.kind}` },
    svg("title", {}, vertex.full ?? `${vertex.title} ${vertex.note ?? ""}`),
    svg("rect", { x, y, width: BOX.width, height: BOX.height, rx: vertex.kind === "object" ? 20 : 7 }),
    svg("text", { x: x + 10, y: y + 21 }, shorten(vertex.title)),
    note,
  );
  return { element, note };
}

function paint({ element, note, vertex }, rows) {
  // A spare is a copy that was not needed.
  const states = rows.map((row) => row.state).filter((state) => state !== "spare");
  if (!states.length) return;
  const worst =
    ["failed", "running", "publishing", "starting", "queued", "cancelled"].find((state) => states.includes(state)) ??
    "succeeded";
  element.setAttribute("class", `box ${vertex.kind} ${worst}`);
  const done = states.filter((state) => state === "succeeded").length;
  replace(note, states.length === 1 ? worst : `${done} of ${states.length} done`);
}

function arrow(from, to, label) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x - 2, to.y + BOX.height / 2];
  const bend = x2 > x1 ? (x2 - x1) / 2 : 60;
  const line = svg("path", {
    class: "line",
    d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    "marker-end": "url(#arrow)",
  });
  return label ? svg("g", {}, line, svg("text", { class: "label", x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 5 }, label)) : line;
}

function shorten(text) {
  return text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text;
}
