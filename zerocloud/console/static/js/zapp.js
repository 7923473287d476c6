// Zapps: archives of a program with its system map. Source of what deploying means: `zpm deploy`.

import { members, uncompressed } from "./tar.js";

export const MAP = "boot/system.map";
const ABOUT = "zapp.yaml";
const TEMPLATE = ".tmpl";
const MOST_BYTES = 2 ** 30;
const MOST_TEXT = 2 ** 20;
const TYPES = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  jpg: "image/jpeg",
  gif: "image/gif",
  ico: "image/x-icon",
  woff2: "font/woff2",
  txt: "text/plain",
};

/** The media type of a page's file, by its name. */
export function typeOf(name) {
  return TYPES[name.split(".").pop().toLowerCase()] ?? "application/octet-stream";
}

/** What is in a zapp: {archive, map, about, pages}. Raises Error with a sentence. */
export async function inspect(file) {
  const archive = await uncompressed(file, MOST_BYTES);
  const found = { archive, map: null, about: {}, pages: [] };
  const files = [];
  for await (const member of members(archive)) files.push(member);
  const named = new Map(files.map((member) => [member.name, member]));
  if (!named.has(MAP)) throw new Error(`This is no zapp: it has no ${MAP}.`);
  found.map = JSON.parse(await small(named.get(MAP)));
  if (!Array.isArray(found.map)) throw new Error(`${MAP} is no system map: a list of groups is expected.`);
  if (named.has(ABOUT)) found.about = await read(await small(named.get(ABOUT)));
  const patterns = [].concat(found.about.ui ?? []).map(glob);
  found.pages = files.filter((member) => patterns.some((pattern) => pattern.test(member.name)));
  return found;
}

/** What its zapp.yaml says, from the beginning of a stored archive: name, help; an empty object if it says nothing. */
export async function aboutStored(blob) {
  try {
    for await (const member of members(blob)) if (member.name === ABOUT) return await read(await small(member));
  } catch {
    // The beginning ends amid a member, or there is nothing legible: then there is no help for it.
  }
  return {};
}

/** Store a zapp in a container: the archive, its map with the archive as every node's image, its pages. Returns what was left out. */
export async function deploy(store, container, name, { archive, map, pages }, account, task) {
  await store.put("~", container, undefined, "", {}, task.signal);
  await store.put("~", container, name, archive, { "Content-Type": "application/x-tar" }, task.signal);
  const image = {
    name: "image",
    path: `swift://${encodeURIComponent(account)}/${encodeURIComponent(container)}/${encodeURIComponent(name)}`,
  };
  const withImage = map.map((group) => ({ ...group, devices: [...(group.devices ?? []), image] }));
  const ready = pages.filter((page) => !page.name.endsWith(TEMPLATE));
  for (const page of ready)
    await store.put("~", container, page.name, page.blob, { "Content-Type": typeOf(page.name) }, task.signal);
  // The map last: whoever finds it finds the rest.
  await store.put("~", container, MAP, JSON.stringify(withImage, null, 2), { "Content-Type": "application/json" }, task.signal);
  return pages.filter((page) => page.name.endsWith(TEMPLATE)).map((page) => page.name);
}

/** The map with more arguments for its first group, as the zapp's own page would add them. */
export function withArguments(map, words) {
  const [first, ...others] = map;
  const args = [first.exec.args, ...words.filter(Boolean).map(escaped)].filter(Boolean).join(" ");
  return [{ ...first, exec: { ...first.exec, args } }, ...others];
}

/** A word as system maps write it: what separates words is spelled \xHH. */
export function escaped(word) {
  return word.replace(/[\\", \t\r\n]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

async function small(member) {
  if (member.size > MOST_TEXT) throw new Error(`${member.name} is too large.`);
  return member.blob.text();
}

async function read(yaml) {
  const { parseYaml, plainYaml } = await import("../vendor/codemirror.js");
  const value = parseYaml(yaml, { schema: plainYaml });
  return value && typeof value === "object" ? value : {};
}

function glob(pattern) {
  const parts = String(pattern)
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${parts}$`, "s");
}
