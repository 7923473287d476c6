// One sentence at the top of the view: what failed, or what was done.

import { h, replace } from "./dom.js";

const place = h("div", { class: "notices", "aria-live": "polite" });

/** The element where notices appear. */
export function notices() {
  return place;
}

/** Say what went wrong. Cancelling is nobody's mistake. */
export function complain(error) {
  if (error.name === "AbortError") return;
  show("problem", error.message, "alert");
}

/** Say what was done. */
export function tell(text) {
  show("told", text, "status");
}

/** Say nothing any more. */
export function clear() {
  replace(place);
}

/** Call it, and complain if it fails. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

function show(kind, text, role) {
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => line.remove() }, "×");
  const line = h("div", { class: `notice ${kind}`, role }, h("span", {}, text), close);
  replace(place, line);
}
