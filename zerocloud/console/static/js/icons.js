// Small pictures, drawn in the colour of the text around them.

import { svg } from "./dom.js";

const SHEET = "M4 1.5h5.5L13 5v9.5H4z M9.5 1.5V5H13";
const PATHS = {
  folder: "M1.5 3.5h4.5l1.5 2h7v8h-13z",
  text: `${SHEET} M6 8h5 M6 10.5h5`,
  code: `${SHEET} M7.2 7.5 5.6 9.3l1.6 1.8 M9.8 7.5l1.6 1.8-1.6 1.8`,
  picture: "M1.5 2.5h13v11h-13z M1.5 11l3.5-4 3 3 2-2 4.5 4.5 M11 5.5h.01",
  program: "M8 1.5l5.6 3.2v6.6L8 14.5l-5.6-3.2V4.7z M2.4 4.7 8 8l5.6-3.3 M8 8v6.5",
  archive: "M2 2.5h12v3H2z M3 5.5h10v8H3z M6.5 8h3",
};

/** The picture of this name. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
