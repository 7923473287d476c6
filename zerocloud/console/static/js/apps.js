// HTML applications in the account: each a folder of the container .gui, with a manifest.json that has `name` and may have
// `version`, `author`, `icon` and `homepage`. The object .gui/app-locations lists the folders, as JSON.

import { Refused } from "./http.js";
import { deletePrefix } from "./removal.js";
import { typeOf } from "./zapp.js";
import { entries } from "./zip.js";

export const HOME = ".gui";
const LIST = "app-locations";
const MANIFEST = "manifest.json";
const PAGE = "index.html";
const ANYONE = ".r:*";
const MOST_BYTES = 64 * 2 ** 20;
const MOST_FILES = 1000;
const MOST_MANIFEST = 65536;
const ODD = /\\|(^|\/)\.{0,2}(\/|$)/;

/** The applications: [{folder, manifest}], as they are listed. */
export async function apps(store, signal) {
  const folders = await listed(store, signal);
  const found = folders.map(async (folder) => {
    const manifest = await json(store.get("~", HOME, `${folder}/${MANIFEST}`, { signal })).catch(() => ({}));
    return { folder, manifest: manifest && typeof manifest === "object" ? manifest : {} };
  });
  return Promise.all(found);
}

/** The address of an application's file; null for what leads out of its folder. */
export function addressOf(store, folder, file = PAGE) {
  if (typeof file !== "string" || !file || /[?#\\:]|^\/|(^|\/)\.\.?(\/|$)/.test(file)) return null;
  return store.url("~", HOME, `${folder}/${file}`);
}

/** What is in the zip of an application: {folder, files}. Raises Error with a sentence. */
export async function inspect(file) {
  const found = await entries(file);
  if (found.length > MOST_FILES) throw new Error(`It has ${found.length} files, more than the ${MOST_FILES} of an app.`);
  const odd = found.find((one) => ODD.test(one.name));
  if (odd) throw new Error(`${odd.name}: a file of an app can't have this name.`);
  const bytes = found.reduce((total, one) => total + one.size, 0);
  if (bytes > MOST_BYTES) throw new Error(`It unpacks to ${bytes} bytes, more than the ${MOST_BYTES} of an app.`);
  // The uppermost, in whatever order they are: an app may have others of this name further down.
  const named = found.map((one) => one.name).filter((name) => name === MANIFEST || name.endsWith(`/${MANIFEST}`));
  const [root] = named.sort((one, other) => one.split("/").length - other.split("/").length);
  if (root === undefined) throw new Error(`This is no app: it has no ${MANIFEST}.`);
  const prefix = root.slice(0, -MANIFEST.length);
  const files = found
    .filter((one) => one.name.startsWith(prefix))
    .map((one) => ({ ...one, name: one.name.slice(prefix.length) }));
  if (!files.some((one) => one.name === PAGE)) throw new Error(`This is no app: it has no ${PAGE} beside its ${MANIFEST}.`);
  return { folder: folderOf(await manifestOf(files)), files };
}

async function manifestOf(files) {
  const one = files.find(({ name }) => name === MANIFEST);
  try {
    if (one.size <= MOST_MANIFEST) return JSON.parse(await (await one.read()).text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`Its ${MANIFEST} is no JSON.`);
}

function folderOf(manifest) {
  const name = typeof manifest?.name === "string" ? manifest.name.trim() : "";
  const folder = name.replace(/[^\p{L}\p{N}_-]+/gu, "-").replace(/^-+|-+$/g, "");
  if (!folder) throw new Error(`Its ${MANIFEST} gives it no name.`);
  return folder;
}

/** Store an application. Everybody may read the container then: the app's tab has no token to show. Raises Refused, Error. */
export async function install(store, { folder, files }, task) {
  await forAll(store, task.signal);
  const known = await listed(store, task.signal);
  if (known.includes(folder)) throw new Error(`There is an app ${folder} already. Remove it first.`);
  for (const [index, file] of files.entries()) {
    const headers = { "Content-Type": typeOf(file.name) };
    await store.put("~", HOME, `${folder}/${file.name}`, await file.read(), headers, task.signal);
    task.progress(index + 1, files.length, "files");
  }
  // The list last: what it names is there.
  await keep(store, [...known, folder]);
}

/** Make its container, or have everybody read it, besides those whom its owner has let in. */
async function forAll(store, signal) {
  await store.put("~", HOME, undefined, "", {}, signal);
  const { "x-container-read": readers = "" } = await store.head("~", HOME);
  const words = readers.split(",").filter((word) => word && word !== ANYONE);
  await store.post("~", HOME, undefined, { "X-Container-Read": [...words, ANYONE].join(",") });
}

/** Remove an application and all its files. */
export async function remove(store, folder) {
  await keep(
    store,
    (await listed(store)).filter((one) => one !== folder),
  );
  await deletePrefix(store, "~", HOME, `${folder}/`);
}

async function listed(store, signal) {
  try {
    const list = await json(store.get("~", HOME, LIST, { signal }));
    return Array.isArray(list)
      ? list.filter((one) => typeof one === "string" && one && !one.includes("/") && !/^\.\.?$/.test(one))
      : [];
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Refused && error.status === 404)) return [];
    throw error;
  }
}

async function keep(store, folders) {
  await store.put("~", HOME, LIST, JSON.stringify(folders), { "Content-Type": "application/json" });
}

async function json(response) {
  return (await response).json();
}
