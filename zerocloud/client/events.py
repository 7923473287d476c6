"""Server-sent events (the HTML Standard, section 9.2) as a job's progress sends them (HTTP API, section 19). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import simplejson


@dataclass(frozen=True)
class Event:
    """What has changed: ``job`` (state and counts), ``node`` (a line of the table) or ``end`` (as ``job``; the last one)."""

    name: str
    data: Mapping[str, Any]


def parse_events(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a stream; whatever is none is passed over."""
    name, data = "", []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line:
            if name and data and (event := _event(name, "\n".join(data))):
                yield event
            name, data = "", []


def _event(name: str, text: str) -> Event | None:
    try:
        value = simplejson.loads(text)
    except ValueError:
        return None
    return Event(name, value) if isinstance(value, dict) else None
