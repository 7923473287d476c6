// What stands around every view: navigation, who is signed in, light or dark.

import { append, h, replace } from "./dom.js";
import { offered } from "./execution.js";
import { notices } from "./notice.js";
import { accountOf, signOut } from "./session.js";
import { panel } from "./tasks.js";
import { choices, choose, chosen } from "./theme.js";

const PAGES = [
  ["store", "Store"],
  ["map", "Run"],
  ["jobs", "Jobs"],
  ["zapps", "Zapps"],
  ["usage", "Usage"],
];
const BELONGS = { object: "store", open: "store" };

/** Build the frame, or keep it if it is there; returns the element for the view. */
export function frame(session, view) {
  if (!document.getElementById("view")) build(session);
  for (const link of document.querySelectorAll("nav.pages a")) {
    const here = link.dataset.view === (BELONGS[view] ?? view);
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
  return document.getElementById("view");
}

function build(session) {
  const links = PAGES.filter(([view]) => offered(view)).map(([view, title]) =>
    h("li", {}, h("a", { href: `#/${view}`, "data-view": view }, title)),
  );
  const header = h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "#/store" }, "ZeroCloud"),
    h("nav", { class: "pages", "aria-label": "Pages" }, h("ul", {}, links)),
    h(
      "div",
      { class: "who" },
      h("span", { class: "account", title: session.url }, session.user || accountOf(session)),
      themes(),
      h("button", { type: "button", onclick: leave }, "Sign out"),
    ),
  );
  const skip = h("a", { class: "skip", href: "#view", onclick: skipTo }, "To the content");
  const main = h("main", { id: "view", tabindex: "-1" });
  replace(document.body);
  append(document.body, skip, header, notices(), main, panel());
}

function skipTo(event) {
  event.preventDefault();
  document.getElementById("view").focus();
}

function leave() {
  signOut();
  location.hash = "";
  location.reload();
}

function themes() {
  const select = h(
    "select",
    { "aria-label": "Colours", onchange: () => choose(select.value) },
    choices.map(([value, title]) => h("option", { value }, title)),
  );
  select.value = chosen();
  return select;
}
