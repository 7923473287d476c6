// Starts the console: shows the view that the URL's hash names, to whoever is signed in.

import { h, replace } from "./dom.js";
import { offered } from "./execution.js";
import { frame } from "./shell.js";
import { Refused } from "./http.js";
import { clear, complain } from "./notice.js";
import { parse } from "./route.js";
import { current, signOut } from "./session.js";
import { Store } from "./store.js";
import { signInView } from "./views/signin.js";

const VIEWS = {
  store: async (parts) =>
    parts.length ? (await import("./views/objects.js")).objectsView : (await import("./views/containers.js")).containersView,
  object: async () => (await import("./views/object.js")).objectView,
  open: async () => (await import("./views/open.js")).openView,
  map: async () => (await import("./views/map.js")).mapView,
  jobs: async (parts) => (parts.length ? (await import("./views/job.js")).jobView : (await import("./views/jobs.js")).jobsView),
  zapps: async () => (await import("./views/zapps.js")).zappsView,
  usage: async () => (await import("./views/usage.js")).usageView,
};

let leave = null;

async function show() {
  leave?.abort();
  leave = new AbortController();
  const { signal } = leave;
  const session = current();
  if (!session) {
    replace(document.body, signInView(show));
    return;
  }
  const route = parse(location.hash);
  const main = frame(session, route.view);
  clear();
  const load = offered(route.view) && VIEWS[route.view];
  if (!load) {
    replace(main, h("p", {}, "There is no such page. "), h("a", { href: "#/store" }, "Containers"));
    return;
  }
  main.setAttribute("aria-busy", "true");
  try {
    const view = await load(route.parts);
    const element = await view({ session, store: new Store(session), route, signal });
    if (signal.aborted) return;
    replace(main, element);
    document.title = `${main.querySelector("h1")?.textContent ?? ""} · ZeroCloud`;
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Refused && error.status === 401) {
      signOut();
      replace(document.body, signInView(show, "Your token is no longer valid."));
      return;
    }
    replace(main, h("h1", {}, "This did not work"));
    complain(error);
  } finally {
    main.removeAttribute("aria-busy");
  }
}

addEventListener("hashchange", show);
addEventListener("zerocloud:refresh", show);
show();
