// Bars over time, stacked; each is a button's worth of words for those who can't see it.

import { h, svg } from "./dom.js";

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 84;
const BOTTOM = 34;

/** `bars` are [{label, parts: [[kind, value]…]}]; `show(value)` says a value; `base` is 1024 for bytes. */
export function plot(title, bars, show, base = 10) {
  const totals = bars.map((bar) => bar.parts.reduce((sum, [, value]) => sum + value, 0));
  const top = ceiling(Math.max(...totals, 0), base);
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 12);
  const step = (WIDTH - LEFT) / Math.max(bars.length, 1);
  const lines = [0, 0.5, 1].map((part) =>
    svg(
      "g",
      { class: "tick" },
      svg("line", { x1: LEFT, x2: WIDTH, y1: y(part * top), y2: y(part * top) }),
      svg("text", { x: LEFT - 8, y: y(part * top) + 4, "text-anchor": "end" }, show(part * top)),
    ),
  );
  const drawn = bars.map((bar, index) => column(bar, totals[index], LEFT + index * step, step, y, show));
  const every = Math.ceil(bars.length / 5);
  const labels = bars.map(
    (bar, index) =>
      index % every === 0 &&
      svg("text", { class: "tick", x: LEFT + (index + 0.5) * step, y: HEIGHT - 6, "text-anchor": "middle" }, bar.label),
  );
  return h(
    "figure",
    { class: "plot" },
    h("figcaption", {}, title),
    svg(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        role: "img",
        "aria-label": `${title}: ${bars.map((bar, index) => `${bar.label} ${show(totals[index])}`).join(", ")}`,
      },
      lines,
      drawn,
      labels.filter(Boolean),
    ),
  );
}

function column(bar, total, x, step, y, show) {
  let below = 0;
  const parts = bar.parts.map(([kind, value]) => {
    const rect = svg("rect", {
      class: kind,
      x: x + step * 0.15,
      width: step * 0.7,
      y: y(below + value),
      height: Math.max(0, y(below) - y(below + value)),
      rx: 2,
    });
    below += value;
    return rect;
  });
  return svg(
    "g",
    {},
    svg("title", {}, `${bar.label}: ${show(total)} (${bar.parts.map(([kind, value]) => `${kind} ${show(value)}`).join(", ")})`),
    parts,
  );
}

/** A round number above the value. */
function ceiling(value, base) {
  if (value <= 0) return 1;
  const power = base ** Math.floor(Math.log(value) / Math.log(base));
  const factors = base === 10 ? [1, 2, 4, 6, 8, 10] : Array.from({ length: 11 }, (_, index) => 2 ** index);
  return factors.map((factor) => factor * power).find((one) => one >= value) ?? base * power;
}
