// The way from the account to here, each step a link; the last one is the page's title.

import { h } from "../dom.js";
import { format } from "../route.js";

/** Of a container and a prefix in it, or of an object in it. */
export function crumbs(account, container, prefix = "", object = "") {
  const folders = (object || prefix).split("/").slice(0, -1);
  const links = [
    ["Containers", format("store")],
    [account === "~" ? container : `${account} / ${container}`, format("store", [account, container])],
  ];
  folders.forEach((name, index) => {
    links.push([name || "/", format("store", [account, container], { prefix: `${folders.slice(0, index + 1).join("/")}/` })]);
  });
  const last = object ? object.split("/").pop() : links.pop()[0];
  const items = links.map(([title, href]) => h("li", {}, h("a", { href }, title)));
  return h(
    "nav",
    { "aria-label": "Where this is", class: "crumbs" },
    h("ol", {}, items, h("li", {}, h("h1", { "aria-current": "page" }, last))),
  );
}
