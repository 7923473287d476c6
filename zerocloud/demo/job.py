"""The demo's system map, and reading what the cluster answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerocloud.client.results import node_results

TEXT, PROGRAMS = "demo-text", "demo-programs"
MAPPER, REDUCER = "wordmap.wasm", "wordreduce.wasm"


def system_map(reducers: int, most: int) -> list[dict[str, Any]]:
    """A mapper for each object, connected to the reducers, and those to one collector that answers the ``most`` top words."""
    return [
        {
            "name": "map",
            "exec": {"path": f"swift://~/{PROGRAMS}/{MAPPER}"},
            "devices": [{"name": "stdin", "path": f"swift://~/{TEXT}/*"}],
            "connect": ["reduce"],
        },
        {
            "name": "reduce",
            "exec": {"path": f"swift://~/{PROGRAMS}/{REDUCER}"},
            "count": reducers,
            "connect": ["collect"],
        },
        {
            "name": "collect",
            "exec": {"path": f"swift://~/{PROGRAMS}/{REDUCER}", "args": str(most)},
            "devices": [{"name": "stdout", "content_type": "text/plain"}],
        },
    ]


@dataclass(frozen=True)
class NodeRow:
    """One node of the answer: where it ran, how it ended, its wall time in seconds and the bytes it moved."""

    name: str
    server: str
    status: str
    seconds: float
    read: int
    sent: int


def node_rows(headers: Mapping[str, str]) -> list[NodeRow]:
    """The table of nodes from a job's ``X-Nexe-*`` headers (HTTP API, section 7)."""
    rows = []
    for node in node_results(headers):
        used = node.counters
        read, sent = used.bytes_read + used.network_bytes_read, used.network_bytes_written
        rows.append(NodeRow(node.name, node.server, node.status, node.seconds, read, sent))
    return rows


def word_counts(body: bytes) -> list[tuple[str, int]]:
    """The collector's lines, ``count word``, as pairs."""
    pairs = (line.split() for line in body.decode().splitlines())
    return [(word, int(number)) for number, word in pairs]
