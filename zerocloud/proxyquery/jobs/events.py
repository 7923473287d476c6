"""A job's progress as server-sent events (the HTML Standard, section 9.2; HTTP API, section 19)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import simplejson
from swift.common.concurrency import sleep

from .states import JobState

CONTENT_TYPE = "text/event-stream"
PAUSE = 0.25
"""Seconds between two looks at a job of this process."""

PAUSE_PER_NODE = 0.0002
"""Seconds more for each node: looking at a large job has its price."""

SILENCE = 5.0
"""Seconds after which a comment is sent, by which a watcher that has left is noticed."""

Value = Mapping[str, Any]


def events(look: Callable[[], Value | None], pause: float = PAUSE) -> Iterator[bytes]:
    """How a job stands, and what happens to it from now on, until ``end``.

    ``node`` tells a line of its table, and ``job`` its state and counts, each when it changes; of what has changed together,
    ``job`` comes last. ``look`` gives the job as it is shown.
    """
    rows: dict[int, Value] = {}
    head: Value = {}
    spoken = time.monotonic()
    yield b"retry: 1000\n\n"
    while (value := look()) is not None:
        fresh = {key: value[key] for key in ("id", "state", "created", "ended", "nodes", "status", "counts", "error")}
        parts = [_event("node", row) for row in value["table"] if rows.get(row["id"]) != row]
        rows = {row["id"]: row for row in value["table"]}
        if fresh != head:
            parts.append(_event("job", fresh))
            head = fresh
        if parts or time.monotonic() - spoken > SILENCE:
            yield b"".join(parts) or b": still there\n\n"
            spoken = time.monotonic()
        if JobState(value["state"]).ended:
            yield _event("end", fresh)
            return
        sleep(pause + PAUSE_PER_NODE * value["nodes"])
    yield _event("end", {**head, "state": None})


def _event(name: str, data: Value) -> bytes:
    return f"event: {name}\ndata: {simplejson.dumps(data)}\n\n".encode()
