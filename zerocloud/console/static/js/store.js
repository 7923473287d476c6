// Swift's API, as far as the console needs it: accounts, containers, objects, their metadata and access.

import { accountUrl } from "./session.js";
import { pathOf, request, unwire } from "./http.js";

export const PAGE = 100;

/** The user's objects. Every method raises Refused or Unreachable. */
export class Store {
  constructor(session) {
    this.session = session;
  }

  /** The URL of an account, container or object. */
  url(account, container, object) {
    const base = accountUrl(this.session, account);
    return container === undefined ? base : `${base}/${pathOf(container, object)}`;
  }

  async send(account, container, object, options = {}) {
    const headers = { "X-Auth-Token": this.session.token, ...options.headers };
    return request(this.url(account, container, object), { ...options, headers });
  }

  /** A page of containers: {name, count, bytes, last_modified}. */
  async containers({ marker = "", prefix = "", limit = PAGE, signal } = {}) {
    const query = { format: "json", limit, marker, prefix };
    return (await this.send("~", undefined, undefined, { query, signal })).json();
  }

  /** A page of a container: {name, bytes, content_type, last_modified, hash}, or {subdir} where a delimiter is given. */
  async objects(account, container, { prefix = "", delimiter = "", marker = "", limit = PAGE, signal } = {}) {
    const query = { format: "json", limit, marker, prefix, ...(delimiter ? { delimiter } : {}) };
    return (await this.send(account, container, undefined, { query, signal })).json();
  }

  /** All objects below a prefix, page by page. */
  async *everything(account, container, prefix = "", signal = undefined) {
    let marker = "";
    for (;;) {
      const page = await this.objects(account, container, { prefix, marker, limit: 1000, signal });
      if (!page.length) return;
      yield* page;
      marker = page.at(-1).name;
    }
  }

  /** Headers, with lower-case names. */
  async head(account, container, object) {
    const response = await this.send(account, container, object, { method: "HEAD" });
    return Object.fromEntries([...response.headers].map(([name, value]) => [name, unwire(value)]));
  }

  async get(account, container, object, options = {}) {
    return this.send(account, container, object, options);
  }

  async put(account, container, object, body = "", headers = {}, signal = undefined) {
    return this.send(account, container, object, { method: "PUT", body, headers, signal });
  }

  async post(account, container, object, headers) {
    return this.send(account, container, object, { method: "POST", headers });
  }

  async remove(account, container, object, signal = undefined) {
    return this.send(account, container, object, { method: "DELETE", signal });
  }
}

/** The user metadata among headers: [[name, value], …]. `kind` is account, container or object. */
export function metadata(headers, kind) {
  const start = `x-${kind}-meta-`;
  return Object.entries(headers)
    .filter(([name]) => name.startsWith(start))
    .map(([name, value]) => [name.slice(start.length), value])
    .sort();
}
