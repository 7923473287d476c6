"""What a job answered: its nodes' outputs, and a report of every session (HTTP API, section 7). Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from math import isfinite
from typing import Any

import simplejson

from . import pages

COUNTERS = 10


@dataclass(frozen=True)
class Counters:
    """What a session used: seconds of processor time; requests and bytes on files and on the network."""

    system_seconds: float = 0.0
    user_seconds: float = 0.0
    reads: int = 0
    bytes_read: int = 0
    writes: int = 0
    bytes_written: int = 0
    network_reads: int = 0
    network_bytes_read: int = 0
    network_writes: int = 0
    network_bytes_written: int = 0


@dataclass(frozen=True)
class NodeResult:
    """One session's report. ``seconds`` is its wall time, ``status`` ``ok`` or how it ended."""

    name: str
    server: str
    status: str
    exit_code: int
    seconds: float
    counters: Counters


@dataclass(frozen=True)
class Answer:
    """What a job answered. ``job`` is its id; ``body`` what nodes wrote to outputs without a path, in the order of the nodes.

    The body is empty if it was written to a file instead.
    """

    job: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return simplejson.loads(self.body)

    @property
    def seconds(self) -> float:
        """The whole job's wall time."""
        return _float(_header(self.headers, "Cdr-Line").partition(",")[0])

    @property
    def nodes(self) -> tuple[NodeResult, ...]:
        """The sessions in the order of the nodes; of a large job the first hundred or so. Its status has them all."""
        return node_results(self.headers)

    @property
    def more_nodes(self) -> int:
        """How many sessions the report leaves out."""
        return int(_float(_header(self.headers, "More")))

    def _repr_html_(self) -> str:
        return pages.answer(self)


@dataclass(frozen=True)
class NodeAnswer:
    """What one node answered by itself. ``body`` is None if it has no output without a path, or did not come so far."""

    name: str
    succeeded: bool
    server: str
    exit_code: int
    error: str
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return (self.body or b"").decode("utf-8", "replace")


def node_answers(value: Mapping[str, Any]) -> tuple[NodeAnswer, ...]:
    """The nodes of an answer that tells them one by one."""
    return tuple(
        NodeAnswer(
            name=str(node["name"]),
            succeeded=bool(node.get("succeeded")),
            server=str(node.get("server") or ""),
            exit_code=int(_float(str(node.get("exit_code") or ""))),
            error=str(node.get("error") or ""),
            headers=dict(node.get("headers") or {}),
            body=_body(node),
        )
        for node in value.get("nodes") or ()
    )


def _body(node: Mapping[str, Any]) -> bytes | None:
    if "base64" in node:
        return base64.b64decode(node["base64"])
    return str(node["body"]).encode("utf-8", "surrogatepass") if "body" in node else None


def node_results(headers: Mapping[str, str]) -> tuple[NodeResult, ...]:
    """The sessions that the headers of an answer tell of."""
    names, servers, states, codes = (_list(headers, name) for name in ("System", "Server", "Status", "Retcode"))
    accounts = _list(headers, "Cdr-Line")[1:]  # the first is the whole job's time
    columns = zip_longest(names, servers, states, codes, accounts[::2], accounts[1::2], fillvalue="")
    return tuple(
        NodeResult(name, server, status, int(_float(code)), _float(seconds), _counters(fields))
        for name, server, status, code, seconds, fields in columns
        if name
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    """A report's header; their mappings are not all blind to case."""
    wanted = f"x-nexe-{name.lower()}"
    return next((value for key, value in headers.items() if key.lower() == wanted), "")


def _list(headers: Mapping[str, str], name: str) -> list[str]:
    text = _header(headers, name)
    return text.split(",") if text else []


def _counters(text: str) -> Counters:
    fields = [_float(field) for field in text.split()]
    if len(fields) != COUNTERS:
        return Counters()
    system, user, *counts = fields
    return Counters(system, user, *map(int, counts))


def _float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if isfinite(value) else 0.0
