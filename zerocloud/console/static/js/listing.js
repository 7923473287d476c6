// A table that grows page by page: by its button, or when its end comes into sight.

import { append, h } from "./dom.js";
import { complain } from "./notice.js";

const NUMBERS = new Set(["Objects", "Size", "Nodes", "Time"]);

/**
 * `load(marker)` gives a page (an array), `row(item)` its `tr`, `marker(item)` where the next page begins.
 * `columns` are titles; `empty` is said when there is nothing.
 */
export function listing({ caption, columns, load, row, marker, empty, pageSize, signal }) {
  const body = h("tbody");
  const more = h("button", { type: "button", onclick: () => grow() }, "Load more");
  const foot = h("div", { class: "more" }, more);
  const table = h(
    "table",
    { class: "listing" },
    h("caption", { class: "hidden" }, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        columns.map((title) => h("th", { scope: "col", class: NUMBERS.has(title) ? "number" : "" }, title)),
      ),
    ),
    body,
  );
  const watcher = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && !more.disabled && grow(),
  );
  signal.addEventListener("abort", () => watcher.disconnect());
  let last = "";
  let complete = false;

  async function grow() {
    more.disabled = true;
    try {
      const page = await load(last);
      if (page.length) last = marker(page.at(-1));
      append(body, page.map(row));
      if (page.length < pageSize) finish();
    } catch (error) {
      complain(error);
    } finally {
      more.disabled = false;
    }
  }

  function finish() {
    complete = true;
    watcher.disconnect();
    foot.remove();
    if (!body.children.length) append(body, h("tr", {}, h("td", { class: "empty", colspan: columns.length }, empty)));
  }

  return grow().then(() => {
    if (!complete) watcher.observe(foot);
    return h("div", { class: "scroll" }, table, complete ? null : foot);
  });
}
