// What kinds of objects there are for the console, by type and name.

import { execution } from "./execution.js";

const LANGUAGES = {
  js: "javascript",
  mjs: "javascript",
  json: "json",
  map: "json",
  py: "python",
  html: "html",
  htm: "html",
  tmpl: "html",
  css: "css",
  c: "cpp",
  h: "cpp",
  cc: "cpp",
  cpp: "cpp",
  hpp: "cpp",
  yaml: "yaml",
  yml: "yaml",
  md: "markdown",
};
const TYPES = [
  [/json/, "json"],
  [/javascript/, "javascript"],
  [/python/, "python"],
  [/html/, "html"],
  [/css/, "css"],
  [/yaml/, "yaml"],
  [/markdown/, "markdown"],
  [/x-c\b|c\+\+/, "cpp"],
];
const TEXT_NAME = /\.(txt|log|csv|tsv|ini|cfg|conf|sh|xml|svg|rst|toml|jsonl|sql|rs|go|rb|java|zig|tex)$/i;
const IMAGES = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const ICONS = [
  [/^application\/directory/, "folder"],
  [/^image\//, "picture"],
  [/^application\/(wasm|x-nexe)/, "program"],
  [/zip|tar|gzip/, "archive"],
  [/json|python|javascript|x-c\b|html|css/, "code"],
];

/** Where an object's type is a pseudo-directory's. */
export const DIRECTORY = "application/directory";

const bare = (type) => (type ?? "").split(";")[0].trim().toLowerCase();

/** The editor's language for an object; empty for plain text. */
export function language(name, type) {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1].toLowerCase();
  return LANGUAGES[ending] ?? TYPES.find(([pattern]) => pattern.test(bare(type)))?.[1] ?? "";
}

/** Whether an object is text, as far as its name and type tell. */
export function isText(name, type) {
  return bare(type).startsWith("text/") || language(name, type) !== "" || TEXT_NAME.test(name);
}

/** Whether a browser shows it as a picture, without running anything. */
export function isImage(type) {
  return IMAGES.test(bare(type));
}

/** The name of the picture that stands for a type in lists. */
export function iconOf(type) {
  return ICONS.find(([pattern]) => pattern.test(bare(type)))?.[1] ?? "text";
}

/** Whether an object can be run from this page, and how: "map", "program", "script" or "". */
export function runnable(name, type) {
  if (!execution) return "";
  if (/^application\/(wasm|x-nexe)/.test(bare(type)) || /\.(wasm|nexe)$/.test(name)) return "program";
  if (/\.py$/.test(name) || /python/.test(bare(type))) return "script";
  if (/json/.test(bare(type)) || /\.(json|map)$/.test(name)) return "map";
  return "";
}
