// An explanation (HTTP API, section 18) as a graph: a box for every node, or for every group where there are many.

import { count, size } from "./format.js";

const MOST_NODES = 30;
const MOST_EDGES = 150;

/** {vertices: [{id, title, note, kind, members}], edges: [[from, to, label]]}. `members` are the names of nodes in a box. */
export function graph(explanation) {
  const detailed = ofNodes(explanation.nodes);
  if (explanation.nodes.length <= MOST_NODES && detailed.edges.length <= MOST_EDGES) return detailed;
  return ofGroups(explanation.nodes);
}

function ofNodes(nodes) {
  const vertices = nodes.map((node) => ({
    id: `node ${node.name}`,
    kind: "node",
    title: node.name,
    note: program(node),
    members: [node.name],
  }));
  const edges = [];
  const stored = new Map();
  for (const node of nodes) {
    for (const channel of node.channels) {
      if (!channel.path?.startsWith("swift://")) continue;
      const id = `${channel.direction} ${channel.path}`;
      const bytes = channel.range ? channel.range[1] - channel.range[0] : channel.size;
      if (!stored.has(id))
        stored.set(id, {
          id,
          kind: "object",
          title: lastPart(channel.path),
          note: bytes === null ? "" : size(bytes),
          full: channel.path,
        });
      edges.push(
        channel.direction === "in" ? [id, `node ${node.name}`, channel.device] : [`node ${node.name}`, id, channel.device],
      );
    }
    for (const other of node.sends_to) edges.push([`node ${node.name}`, `node ${other}`, ""]);
  }
  return { vertices: [...vertices, ...stored.values()], edges };
}

function ofGroups(nodes) {
  const groups = Map.groupBy ? Map.groupBy(nodes, (node) => node.group) : group(nodes);
  const home = new Map(nodes.map((node) => [node.name, node.group]));
  const vertices = [];
  const edges = [];
  for (const [name, members] of groups) {
    vertices.push({
      id: `group ${name}`,
      kind: "node",
      title: name,
      note: count(members.length, "node"),
      members: members.map((node) => node.name),
    });
    for (const other of new Set(members.flatMap((node) => node.sends_to).map((one) => home.get(one))))
      edges.push([`group ${name}`, `group ${other}`, ""]);
    for (const direction of ["in", "out"]) {
      const channels = members
        .flatMap((node) => node.channels)
        .filter((one) => one.direction === direction && one.path?.startsWith("swift://"));
      const paths = new Set(channels.map((one) => one.path));
      if (!paths.size) continue;
      const id = `${direction} ${name}`;
      vertices.push({
        id,
        kind: "object",
        title: count(paths.size, "object"),
        note: size(channels.reduce((sum, one) => sum + (one.size ?? 0), 0)),
      });
      edges.push(direction === "in" ? [id, `group ${name}`, ""] : [`group ${name}`, id, ""]);
    }
  }
  return { vertices, edges };
}

function group(nodes) {
  const groups = new Map();
  for (const node of nodes) groups.set(node.group, [...(groups.get(node.group) ?? []), node]);
  return groups;
}

const lastPart = (path) => path.replace(/^swift:\/\/[^/]+\//, "");
const program = (node) => node.program.split("/").pop();
