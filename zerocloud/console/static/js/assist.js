// Help while a system map is typed: completion from its schema and from what is stored, mistakes where they stand.

import { choices, schemasAt, validate } from "./schema.js";
import { keys, locate, pathAt, pointerOf, siblings } from "./jsontree.js";

const DELAY = 500;
const DEVICES = ["stdin", "stdout", "stderr", "input", "output", "script", "image", "debug"];

/** CodeMirror extensions. `explain(text)` gives the cluster's problems [{pointer, reason, cure}]; `paths(prefix)` stored names. */
export function assist(cm, schema, { explain, paths }) {
  return [
    cm.autocompletion({ override: [(context) => complete(cm, schema, paths, context)] }),
    cm.linter((view) => lint(cm, schema, explain, view), { delay: DELAY }),
    cm.lintGutter(),
  ];
}

/**
 * Everything wrong with a text, as CodeMirror's diagnostics: its syntax; then what the cluster says, and the schema where
 * it says nothing.
 */
async function lint(cm, schema, explain, view) {
  const text = view.state.doc.toString();
  if (!text.trim()) return [];
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [syntax(text, error)];
  }
  const tree = cm.ensureSyntaxTree(view.state, text.length, 1000) ?? cm.syntaxTree(view.state);
  const mistakes = validate(schema, value);
  const said = await explain(text, mistakes.length > 0);
  const told = new Set(said.map((one) => one.pointer));
  const ours = mistakes.filter((one) => !told.has(pointerOf(one.pointer)));
  return [
    ...said.map((one) => mark(tree, text, keys(one.pointer), sentence(one), "cluster")),
    ...ours.map((one) => mark(tree, text, one.pointer, one.message, "schema", one.key)),
  ];
}

function mark(tree, text, path, message, source, wantKey = false) {
  return { ...locate(tree, text, path, wantKey), severity: "error", source, message };
}

function sentence({ reason, cure }) {
  return [reason, cure].filter(Boolean).join(". ");
}

function syntax(text, error) {
  const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
  const from = Math.max(0, Math.min(at, text.length - 1));
  return {
    from,
    to: Math.min(from + 1, text.length),
    severity: "error",
    source: "JSON",
    message: `This is not JSON: ${error.message}`,
  };
}

async function complete(cm, schema, paths, context) {
  const text = context.state.doc.toString();
  const { path, inKey, node } = pathAt(cm.syntaxTree(context.state), text, context.pos);
  if (inKey || (node.name === "Object" && context.explicit)) return keyOptions(schema, path, node, text, context);
  if (node.name !== "String")
    return context.explicit ? valueOptions(schema, path, context.pos, context.pos, JSON.stringify) : null;
  const from = node.from + 1;
  const typed = text.slice(from, context.pos);
  if (typed.startsWith("swift://~/"))
    return { from, options: (await paths(typed.slice(10))).map((name) => ({ label: `swift://~/${name}` })), filter: true };
  const plain = valueOptions(schema, path, from, context.pos, String);
  const device = path.at(-1) === "name" && path.at(-3) === "devices";
  const starts = path.at(-1) === "path" ? ["swift://~/", "file://"] : [];
  const more = [...(device ? DEVICES : []), ...starts].map((label) => ({ label }));
  return { from, options: [...(plain?.options ?? []), ...more] };
}

function keyOptions(schema, path, node, text, context) {
  const used = new Set(siblings(node, text));
  const quoted = node.name === "PropertyName";
  const from = quoted ? node.from : context.pos;
  const to = quoted ? Math.max(node.to, context.pos) : context.pos;
  const colon = /^\s*:/.test(text.slice(to)) ? "" : ": ";
  const options = schemasAt(schema, path)
    .flatMap((one) => Object.entries(one.properties ?? {}))
    .filter(([name, rule]) => !used.has(name) && name !== "$schema" && !rule.deprecated)
    .map(([name, rule]) => ({ label: `"${name}"`, apply: `"${name}"${colon}`, type: "property", info: rule.description }));
  return { from, to, options };
}

function valueOptions(schema, path, from, to, show) {
  const options = schemasAt(schema, path).flatMap((one) =>
    choices(one).map((value) => ({ label: show(value), info: one.description })),
  );
  return options.length ? { from, options } : null;
}
