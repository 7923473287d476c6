// Whether this page offers to run jobs, or manages files only: whoever serves it has said so in its head.

const RUNS = new Set(["map", "open", "jobs", "zapps", "usage"]);

export const execution = document.querySelector('meta[name="zerocloud-execution"]').content !== "no";

/** Whether the page has this view. */
export function offered(view) {
  return execution || !RUNS.has(view);
}
