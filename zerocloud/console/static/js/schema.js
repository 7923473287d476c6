// The part of JSON Schema that the schema of system maps uses: what is wrong with a value, and what could stand at a place.

/** Mistakes of a value: [{pointer: [keys…], message}]. */
export function validate(root, value) {
  const found = [];
  check(root, root, value, [], found);
  return found;
}

/** The schemas that hold for the value at a pointer, with references followed and alternatives spread out. */
export function schemasAt(root, pointer) {
  return pointer.reduce((schemas, key) => schemas.flatMap((schema) => inside(root, schema, key)), spread(root, root));
}

/** The values that a schema lists. */
export function choices(schema) {
  if (schema.enum) return schema.enum;
  if ("const" in schema) return [schema.const];
  return [].concat(schema.type ?? []).includes("boolean") ? [true, false] : [];
}

function inside(root, schema, key) {
  if (typeof key === "number") return schema.items ? spread(root, schema.items) : [];
  const known =
    schema.properties?.[key] ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : null);
  return known ? spread(root, known) : [];
}

function spread(root, schema) {
  const { $ref, ...own } = schema;
  const target = $ref ? { ...resolve(root, $ref), ...own } : schema;
  const branches = (target.anyOf ?? []).filter((branch) => branch.type || branch.enum || "const" in branch);
  return branches.length
    ? branches.flatMap((branch) => spread(root, { description: target.description, ...branch }))
    : [target];
}

function resolve(root, reference) {
  return reference
    .split("/")
    .slice(1)
    .reduce((value, key) => value[key], root);
}

function check(root, schema, value, pointer, found) {
  if (schema.$ref) check(root, resolve(root, schema.$ref), value, pointer, found);
  const wrong = (message) => found.push({ pointer, message });
  if (schema.type && ![].concat(schema.type).some((type) => is(type, value))) {
    wrong(`This is ${kind(value)}; expected ${[].concat(schema.type).map(article).join(" or ")}.`);
    return;
  }
  if (schema.anyOf) checkAny(root, schema, value, pointer, found);
  if (schema.enum && !schema.enum.includes(value))
    wrong(`Expected ${schema.enum.map((one) => JSON.stringify(one)).join(" or ")}.`);
  if ("const" in schema && schema.const !== value) wrong(`Expected ${JSON.stringify(schema.const)}.`);
  if (typeof value === "string") checkString(schema, value, wrong);
  if (typeof value === "number") checkNumber(schema, value, wrong);
  if (Array.isArray(value)) checkList(root, schema, value, pointer, found);
  else if (is("object", value)) checkObject(root, schema, value, pointer, found);
}

function checkAny(root, schema, value, pointer, found) {
  const attempts = schema.anyOf.map((branch) => {
    const problems = [];
    check(root, branch, value, pointer, problems);
    return problems;
  });
  if (attempts.some((problems) => !problems.length)) return;
  // Of several ways to be right, the one that comes nearest is worth talking about.
  const deepest = attempts.reduce((one, other) => (depth(other) > depth(one) ? other : one));
  const missing =
    schema.anyOf.every((branch) => branch.required) &&
    `It needs ${schema.anyOf.map((branch) => `"${branch.required[0]}"`).join(" or ")}.`;
  found.push(...(missing ? [{ pointer, message: missing }] : deepest));
}

const depth = (problems) => Math.max(...problems.map((problem) => problem.pointer.length));

function checkString(schema, value, wrong) {
  if (value.length < (schema.minLength ?? 0)) wrong("This is empty.");
  else if (schema.pattern && !new RegExp(schema.pattern, "u").test(value))
    wrong(`This does not look right. ${schema.description ?? `Expected ${schema.pattern}.`}`);
}

function checkNumber(schema, value, wrong) {
  if (value < schema.minimum) wrong(`Expected ${schema.minimum} or more.`);
  if (value <= schema.exclusiveMinimum) wrong(`Expected more than ${schema.exclusiveMinimum}.`);
}

function checkList(root, schema, value, pointer, found) {
  if (value.length < (schema.minItems ?? 0)) found.push({ pointer, message: "There must be something in this list." });
  if (schema.items) value.forEach((item, index) => check(root, schema.items, item, [...pointer, index], found));
}

function checkObject(root, schema, value, pointer, found) {
  const patterns = Object.keys(schema.patternProperties ?? {}).map((pattern) => new RegExp(pattern));
  for (const [key, item] of Object.entries(value)) {
    const place = [...pointer, key];
    if (schema.properties && Object.hasOwn(schema.properties, key)) check(root, schema.properties[key], item, place, found);
    else if (patterns.some((pattern) => pattern.test(key))) continue;
    else if (schema.additionalProperties === false)
      found.push({ pointer: place, key: true, message: `There is no key "${key}" here.` });
    else if (schema.additionalProperties) check(root, schema.additionalProperties, item, place, found);
  }
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key) && !schema.anyOf) found.push({ pointer, message: `"${key}" is missing.` });
  }
}

function is(type, value) {
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return value !== null && typeof value === "object" && !Array.isArray(value);
  return typeof value === type;
}

function kind(value) {
  if (value === null) return "null";
  return article(Array.isArray(value) ? "array" : typeof value);
}

function article(type) {
  return { array: "a list", object: "an object", integer: "a whole number", null: "null" }[type] ?? `a ${type}`;
}
