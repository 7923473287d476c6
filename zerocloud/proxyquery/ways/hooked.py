"""The job of a hook: its container's zapp, with the object in place of what the map leaves open (HTTP API, section 20)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from ..errors import JobError
from ..hooks.hook import Event, Hook
from ..intake import check_etag
from ..request import JobRequest
from .door import Door, open_devices
from .opened import fetch
from .sourced import zapp

BOUND = ("stdin", "input")
"""Devices that read the object, unless they have a path of their own."""


def hooked(door: Door, hook: Hook) -> JobRequest:
    """The job that a hook asks for. What is being written is the payload. Raises JobError."""
    opened = fetch(door, hook.zapp)
    try:
        found = zapp(door, opened)
    finally:
        opened.fetched.close()
    if found is None:
        raise JobError(501, f"{hook.zapp.path} is neither a tar archive with a system map nor a map")
    if hook.event is Event.ON_PUT:
        check_etag(door.environ, found.brought.payload, "what came")
        return found
    return replace(found, document=bind(found.document, hook.url))


def bind(document: Any, url: str) -> Any:
    """The map with a path for every ``stdin`` and ``input`` that has none."""
    bound = deepcopy(document)
    for device in open_devices(bound):
        if device.get("device", device.get("name")) in BOUND:
            device["path"] = url
    return bound
