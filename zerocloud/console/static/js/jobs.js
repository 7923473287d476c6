// Jobs over HTTP: run, explain, list, show, watch, cancel.

import { request, Refused, Unreachable } from "./http.js";
import { events } from "./sse.js";

export const ENDED = new Set(["succeeded", "failed", "cancelled", "lost"]);
export const STATES = ["queued", "running", "publishing", ...ENDED];
const PAUSE = 1000;

/** The jobs of the user's account. Every method raises Refused or Unreachable. */
export class Jobs {
  constructor(session) {
    this.session = session;
  }

  async send(options) {
    const headers = { "X-Auth-Token": this.session.token, Accept: "application/json", ...options.headers };
    return request(this.session.url, { ...options, headers });
  }

  /** Start a job that goes on by itself; `type` is that of the body. Returns its id. */
  async start(body, type, headers = {}) {
    const sent = { "X-Zerovm-Execute": "1.0", "X-Zerovm-Deferred": "always", "Content-Type": type, ...headers };
    const response = await this.send({ method: "POST", body, headers: sent });
    return response.headers.get("X-Zerovm-Job");
  }

  /** What the job of a system map would do (HTTP API, section 18). */
  async explain(text, signal) {
    const headers = { "X-Zerovm-Execute": "explain/1.0", "Content-Type": "application/json" };
    return (await this.send({ method: "POST", body: text, headers, signal })).json();
  }

  /** {jobs, next}: a page, newest first. */
  async list({ marker = "", state = "", limit = 100, signal } = {}) {
    const query = { zerovm: "jobs", limit, ...(marker ? { marker } : {}), ...(state ? { state } : {}) };
    return (await this.send({ query, signal })).json();
  }

  async show(id, signal) {
    return (await this.send({ query: { zerovm: "job", id }, signal })).json();
  }

  /** The beginning of a job's answer: the response. */
  async body(id, signal) {
    return this.send({ query: { zerovm: "job", id, part: "body" }, signal });
  }

  async cancel(id) {
    return (await this.send({ method: "DELETE", query: { zerovm: "job", id } })).json();
  }

  /** What happens to a job until its end: {event, data}. A connection that breaks is made again. */
  async *watch(id, signal) {
    for (;;) {
      try {
        // Swift's filter of listings, which sees the request before the jobs do, knows no text/event-stream.
        const response = await this.send({ query: { zerovm: "job", id, events: "" }, signal, headers: { Accept: "*/*" } });
        for await (const { event, data } of events(response.body)) {
          yield { event, data: JSON.parse(data) };
          if (event === "end") return;
        }
      } catch (error) {
        const broken =
          error instanceof Unreachable || error instanceof TypeError || (error instanceof Refused && error.status === 503);
        if (!broken || signal?.aborted) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
