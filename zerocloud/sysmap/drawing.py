"""A plan as a drawing: Mermaid or Graphviz text. Small jobs show every node, large ones a box for each group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .explain import size_text
from .paths import SwiftPath
from .place import READS
from .plan import Channel, Node, Plan
from .problems import printable, shortened

MOST_NODES = 40
MOST_EDGES = 200


@dataclass(frozen=True, slots=True)
class Vertex:
    """A box: a node (or a whole group), or what is stored."""

    key: str
    label: str
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow along which bytes go."""

    start: str
    end: str
    label: str


@dataclass(frozen=True)
class Drawing:
    """What is drawn, whatever the language."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


def drawing(plan: Plan) -> Drawing:
    """The plan's boxes and arrows: all of them if they fit, else those of its groups."""
    detailed = _detailed(plan) if len(plan.nodes) <= MOST_NODES else None
    return detailed if detailed and len(detailed.edges) <= MOST_EDGES else _grouped(plan)


def _detailed(plan: Plan) -> Drawing:
    names = {id_: node.name for node in plan.nodes for id_ in plan.copies(node)}
    vertices = {node.name: Vertex(f"node {node.name}", _title(node.name, node.replicate)) for node in plan.nodes}
    stored: dict[str, Vertex] = {}
    edges = []
    for node in plan.nodes:
        for channel, path in _bound(node):
            size = f"\n{size_text(channel.size)}" if channel.size is not None else ""
            vertex = stored.setdefault(path.url, Vertex(f"object {path.url}", printable(path.url) + size, stored=True))
            label = channel.device if channel.slice is None else f"{channel.device} {channel.slice.start}-{channel.slice.end}"
            edges.append(_arrow(f"node {node.name}", vertex.key, label, channel))
        edges += (_stream(node.name, names[end.peers[0]], end.device) for end in node.connects)
    return Drawing((*vertices.values(), *stored.values()), tuple(edges))


def _stream(sender: str, receiver: str, device: str) -> Edge:
    """The arrow of one stream; the default device needs no label."""
    return Edge(f"node {sender}", f"node {receiver}", "" if device == f"out/{receiver}" else device)


def _title(name: str, copies: int) -> str:
    return name if copies == 1 else f"{name}\n{copies} copies"


def _bound(node: Node) -> Iterable[tuple[Channel, SwiftPath]]:
    return ((channel, channel.path) for channel in node.channels if isinstance(channel.path, SwiftPath))


def _arrow(node: str, stored: str, label: str, channel: Channel) -> Edge:
    return Edge(stored, node, label) if channel.access & READS else Edge(node, stored, label)


def _grouped(plan: Plan) -> Drawing:
    groups: dict[str, list[Node]] = {}
    for node in plan.nodes:
        groups.setdefault(node.group, []).append(node)
    home = {id_: node.group for node in plan.nodes for id_ in plan.copies(node)}
    vertices = [Vertex(f"group {name}", f"{name} ({len(nodes)} nodes)") for name, nodes in groups.items()]
    edges: list[Edge] = []
    for name, nodes in groups.items():
        streams: dict[str, int] = {}
        for node in nodes:
            for end in node.connects:
                streams[home[end.peers[0]]] = streams.get(home[end.peers[0]], 0) + 1
        edges += (Edge(f"group {name}", f"group {other}", f"{number} streams") for other, number in streams.items())
        for device, channels in _by_device(nodes).items():
            key = f"objects {name} {device}"
            paths = {channel.path for channel in channels}
            size = sum(channel.size or 0 for channel in {channel.path: channel for channel in channels}.values())
            label = f"{len(paths)} objects" + (f"\n{size_text(size)}" if size else "")
            vertices.append(Vertex(key, label, stored=True))
            edges.append(_arrow(f"group {name}", key, device, channels[0]))
    return Drawing(tuple(vertices), tuple(edges))


def _by_device(nodes: Iterable[Node]) -> dict[str, list[Channel]]:
    found: dict[str, list[Channel]] = {}
    for node in nodes:
        for channel, _ in _bound(node):
            found.setdefault(channel.device.partition("/")[0], []).append(channel)
    return found


def mermaid(plan: Plan) -> str:
    """The drawing in Mermaid's flowchart language."""
    drawn = drawing(plan)
    keys = {vertex.key: f"v{index}" for index, vertex in enumerate(drawn.vertices)}
    boxes = {True: '[("{}")]', False: '["{}"]'}
    lines = [f"    {keys[vertex.key]}{boxes[vertex.stored].format(_in_mermaid(vertex.label))}" for vertex in drawn.vertices]
    for edge in drawn.edges:
        label = f'|"{_in_mermaid(edge.label)}"|' if edge.label else ""
        lines.append(f"    {keys[edge.start]} -->{label} {keys[edge.end]}")
    return "\n".join(["flowchart LR", *lines]) + "\n"


def _in_mermaid(label: str) -> str:
    lines = (shortened(line) for line in label.split("\n"))
    return "<br/>".join("".join(c if c.isalnum() or c in " /:.-_()*" else f"#{ord(c)};" for c in line) for line in lines)


def graphviz(plan: Plan) -> str:
    """The drawing in Graphviz's language."""
    drawn = drawing(plan)
    keys = {vertex.key: f"v{index}" for index, vertex in enumerate(drawn.vertices)}
    lines = ["digraph job {", "    rankdir=LR;", "    node [shape=box];"]
    for vertex in drawn.vertices:
        shape = ", shape=cylinder" if vertex.stored else ""
        lines.append(f'    {keys[vertex.key]} [label="{_in_graphviz(vertex.label)}"{shape}];')
    for edge in drawn.edges:
        label = f' [label="{_in_graphviz(edge.label)}"]' if edge.label else ""
        lines.append(f"    {keys[edge.start]} -> {keys[edge.end]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _in_graphviz(label: str) -> str:
    lines = (shortened(line) for line in label.split("\n"))
    return "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
