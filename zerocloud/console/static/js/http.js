// Requests with the user's token, and what can go wrong with them.

/** The answer was an error: `status`, and `text`, what the server says of it; `problems` if it says that of a map. */
export class Refused extends Error {
  constructor(status, text, problems = []) {
    super(text || SENTENCES[status] || `The server answers with status ${status}.`);
    this.status = status;
    this.problems = problems;
  }
}

/** There was no answer. */
export class Unreachable extends Error {}

const MOST_TEXT = 65536;
const SENTENCES = {
  401: "You have to sign in again.",
  403: "You have no right to do this.",
  404: "There is nothing of this name.",
  409: "It is not empty, or somebody else is changing it.",
  413: "It is larger than the server takes.",
  503: "The server can't do this now. Try again in a moment.",
};

/** A name that no browser can ask for: it would take `..` for a way up, and ask for something else. */
export class Unaddressable extends Error {
  constructor(name) {
    super(`${name}: a browser can't address a name with the part . or ..; use another client for it.`);
  }
}

/** A container's, or an object's path below an account, quoted. Raises Unaddressable. */
export function pathOf(container, object) {
  const parts = [container, ...(object === undefined ? [] : object.split("/"))];
  if (parts.some((part) => part === "." || part === "..")) throw new Unaddressable(parts.join("/"));
  return parts.map(encodeURIComponent).join("/");
}

/** One request; raises Refused for statuses from 400 on, Unreachable, or AbortError. */
export async function request(url, { method = "GET", headers = {}, body, signal, query } = {}) {
  const target = query ? `${url}?${new URLSearchParams(query)}` : url;
  let response;
  try {
    response = await fetch(target, { method, headers: wire(headers), body, signal, credentials: "omit", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable(`${new URL(target, location.href).origin} does not answer.`);
  }
  if (response.status >= 400) throw await refused(response);
  return response;
}

/** What an error's body says, as one text. */
export async function refused(response) {
  const text = (await response.text()).slice(0, MOST_TEXT);
  return refusal(response.status, response.headers.get("Content-Type") ?? "", text);
}

/** The same from its parts. Swift's own error pages are HTML: only their words are kept. */
export function refusal(status, type, text) {
  if (type.startsWith("application/json")) {
    try {
      const value = JSON.parse(text);
      return new Refused(status, value.error ?? "", value.problems ?? []);
    } catch {
      return new Refused(status, text);
    }
  }
  return new Refused(status, type.startsWith("text/html") ? words(text) : text.trim());
}

function words(markup) {
  return markup
    .replace(/<h1>/gi, "")
    .replace(/<\/h1>/gi, ": ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Header values travel as bytes: text goes as UTF-8. */
export function wire(headers) {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, bytes(String(value))]));
}

function bytes(text) {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** The text in a header's value that came as UTF-8. */
export function unwire(value) {
  if (value === null || value === undefined) return value;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(value, (char) => char.charCodeAt(0)));
  } catch {
    return value;
  }
}
