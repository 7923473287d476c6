// A graph in layers from left to right: boxes after all that send to them, rows sorted so that few lines cross. Pure.

const SWEEPS = 4;

/**
 * Place `vertices` (ids) with `edges` ([from, to]). Returns a Map of id to {layer, row}, and {layers, rows}. Circles are cut
 * where they close.
 */
export function layered(vertices, edges) {
  const after = new Map(vertices.map((id) => [id, []]));
  for (const [from, to] of edges) if (from !== to) after.get(from)?.push(to);
  const layerOf = depths(vertices, after);
  const layers = [];
  for (const id of vertices) (layers[layerOf.get(id)] ??= []).push(id);
  for (let index = 0; index < layers.length; index += 1) layers[index] ??= [];
  untangle(layers, edges);
  const places = new Map();
  const rows = Math.max(1, ...layers.map((layer) => layer.length));
  layers.forEach((layer, number) =>
    layer.forEach((id, index) => {
      places.set(id, { layer: number, row: index + (rows - layer.length) / 2 });
    }),
  );
  return { places, layers: layers.length, rows };
}

/** The longest way to each vertex, without the edges that close a circle. */
function depths(vertices, after) {
  const order = [];
  const state = new Map();
  const forward = new Map(vertices.map((id) => [id, []]));
  for (const root of vertices) {
    if (state.has(root)) continue;
    const stack = [[root, 0]];
    state.set(root, "open");
    while (stack.length) {
      const top = stack.at(-1);
      const next = after.get(top[0])[top[1]];
      top[1] += 1;
      if (next === undefined) {
        state.set(top[0], "done");
        order.push(top[0]);
        stack.pop();
      } else if (state.get(next) !== "open") {
        forward.get(top[0]).push(next);
        if (!state.has(next)) {
          state.set(next, "open");
          stack.push([next, 0]);
        }
      }
    }
  }
  const depth = new Map(vertices.map((id) => [id, 0]));
  for (const id of order.reverse())
    for (const next of forward.get(id)) depth.set(next, Math.max(depth.get(next), depth.get(id) + 1));
  return depth;
}

/** Sort each layer by where its neighbours are, to and fro. */
function untangle(layers, edges) {
  const near = new Map();
  for (const [from, to] of edges) {
    near.set(from, [...(near.get(from) ?? []), to]);
    near.set(to, [...(near.get(to) ?? []), from]);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const order = sweep % 2 ? [...layers].reverse() : layers;
    const position = new Map(layers.flatMap((layer) => layer.map((id, index) => [id, index])));
    for (const layer of order) {
      const weight = new Map(
        layer.map((id) => [
          id,
          mean(
            (near.get(id) ?? []).map((other) => position.get(other)),
            position.get(id),
          ),
        ]),
      );
      layer.sort((one, other) => weight.get(one) - weight.get(other));
      layer.forEach((id, index) => position.set(id, index));
    }
  }
}

function mean(numbers, otherwise) {
  const known = numbers.filter((number) => number !== undefined);
  return known.length ? known.reduce((sum, number) => sum + number, 0) / known.length : otherwise;
}
