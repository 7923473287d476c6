// Where things stand in a JSON text: from JSON pointers to positions and back, by CodeMirror's syntax tree.

/** The keys of a JSON pointer (RFC 6901); whole numbers become indexes. */
export function keys(pointer) {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => {
      const plain = step.replaceAll("~1", "/").replaceAll("~0", "~");
      return /^\d+$/.test(plain) ? Number(plain) : plain;
    });
}

/** The JSON pointer of these keys. */
export function pointerOf(path) {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The positions {from, to} of the value at these keys, or of its key; of the nearest that exists if it does not. */
export function locate(tree, text, path, wantKey = false) {
  let node = valueIn(tree.topNode);
  let named = null;
  for (const step of path) {
    const next = node && (node.name === "Array" ? child(node, Number(step)) : property(node, text, String(step)));
    if (!next) break;
    [node, named] = [next.value, next.key];
  }
  const chosen = wantKey && named ? named : node;
  return chosen
    ? { from: chosen.from, to: Math.min(chosen.to, lineEnd(text, chosen.from)) }
    : { from: 0, to: Math.min(1, text.length) };
}

/** Where a position is: {path, key, node}. `key` says whether it is in the name of a property rather than in a value. */
export function pathAt(tree, text, position) {
  let node = tree.resolveInner(position, -1);
  const inKey = node.name === "PropertyName";
  const path = [];
  for (let one = node; one.parent; one = one.parent) {
    if (one.parent.name === "Array" && VALUES.has(one.name))
      path.unshift(items(one.parent).findIndex((item) => item.from === one.from));
    if (one.name === "Property") path.unshift(nameOf(one, text));
  }
  return { path: inKey ? path.slice(0, -1) : path, inKey, node };
}

/** The names of the properties of the object that encloses a node. */
export function siblings(node, text) {
  let object = node;
  while (object && object.name !== "Object") object = object.parent;
  return object ? object.getChildren("Property").map((one) => nameOf(one, text)) : [];
}

const VALUES = new Set(["Object", "Array", "String", "Number", "True", "False", "Null"]);

function valueIn(node) {
  return items(node)[0] ?? null;
}

function items(node) {
  const found = [];
  for (let one = node.firstChild; one; one = one.nextSibling) if (VALUES.has(one.name)) found.push(one);
  return found;
}

function child(node, index) {
  const value = items(node)[index];
  return value ? { value, key: null } : null;
}

function property(node, text, name) {
  if (node.name !== "Object") return null;
  const found = node.getChildren("Property").find((one) => nameOf(one, text) === name);
  return found ? { value: valueIn(found) ?? found, key: found.getChild("PropertyName") } : null;
}

function nameOf(node, text) {
  const name = node.getChild("PropertyName");
  if (!name) return "";
  try {
    return JSON.parse(text.slice(name.from, name.to));
  } catch {
    return text.slice(name.from + 1, name.to);
  }
}

function lineEnd(text, from) {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}
