"""The demo's system map, and reading what the cluster answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    names, servers, states = (headers.get(f"X-Nexe-{name}", "").split(",") for name in ("System", "Server", "Status"))
    accounts = headers.get("X-Nexe-Cdr-Line", "").split(",")[1:]  # the first is the whole job's time
    rows = []
    for name, server, state, seconds, fields in zip(names, servers, states, accounts[::2], accounts[1::2], strict=True):
        _, _, _, local_read, _, _, _, network_read, _, sent = fields.split()
        rows.append(NodeRow(name, server, state, float(seconds), int(local_read) + int(network_read), int(sent)))
    return rows


def word_counts(body: bytes) -> list[tuple[str, int]]:
    """The collector's lines, ``count word``, as pairs."""
    pairs = (line.split() for line in body.decode().splitlines())
    return [(word, int(number)) for number, word in pairs]
