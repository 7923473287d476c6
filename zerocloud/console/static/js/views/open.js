// An object opened by its program: a zapp, a map or a program by itself, anything else by what the account has registered for its
// type (HTTP API, sections 4 and 5). The answer is shown as text or as a picture, never as a page. Nothing runs until its button
// is pressed: anybody's page can lead a browser to this address, and what runs has its user's rights.

import { h, replace } from "../dom.js";
import { field } from "../dialog.js";
import { save } from "../download.js";
import { size } from "../format.js";
import { request } from "../http.js";
import { attempt, clear } from "../notice.js";
import { accountOf } from "../session.js";
import { shown } from "./answer.js";
import { crumbs } from "./crumbs.js";

const VERSION = /\/v1(\.0)?\/[^/]+/;

export async function openView({ session, store, route, signal }) {
  const [account, container, name] = route.parts;
  const waiting = h("p", { class: "dim" }, "Open runs its program, with your rights.");
  const place = h("div", { class: "body", "aria-live": "polite" }, waiting);
  const query = h("input", {
    value: route.query.get("with") ?? "",
    placeholder: "name=value&…",
    spellcheck: "false",
    name: "query",
  });
  const button = h("button", { type: "submit", class: "primary" }, "Open");
  const form = h("form", { class: "inline", onsubmit: go }, field("Parameters", query), button);
  const url = address(session, store, account, container, name);

  async function go(event) {
    event.preventDefault();
    clear();
    button.disabled = true;
    replace(place, h("p", { class: "dim", role: "status" }, "Running…"));
    const answer = await attempt(() => ask(session, url, query.value.trim(), signal));
    replace(place, answer ? await told(answer, name, signal) : null);
    button.disabled = false;
  }

  return h("section", {}, h("div", { class: "title" }, crumbs(account, container, "", name)), form, place);
}

/** The object's address that runs it. */
function address(session, store, account, container, name) {
  const owner = encodeURIComponent(account === "~" ? accountOf(session) : account);
  return store.url(account, container, name).replace(VERSION, `/open/${owner}`);
}

async function ask(session, url, query, signal) {
  const begun = performance.now();
  const response = await request(query ? `${url}?${query}` : url, { headers: { "X-Auth-Token": session.token }, signal });
  const blob = await response.blob();
  return { response, blob, seconds: (performance.now() - begun) / 1000 };
}

async function told({ response, blob, seconds }, name, signal) {
  const type = response.headers.get("Content-Type") ?? "";
  const facts = [type, size(blob.size), `${seconds.toFixed(1)} s`].filter(Boolean).join(" · ");
  const button = h("button", { type: "button", onclick: () => save(blob, name.split("/").pop()) }, "Download");
  return [
    h(
      "div",
      { class: "title" },
      h("h2", {}, "Answer"),
      h("span", { class: "dim" }, facts),
      h("div", { class: "actions" }, button),
    ),
    shown(new Uint8Array(await blob.arrayBuffer()), type, signal),
  ];
}
