"""The job of a hook: its container's zapp, with the object in place of what the map leaves open (HTTP API, section 19)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import md5
from typing import Any

from ..errors import JobError
from ..hooks.hook import Event, Hook
from ..intake import Kept
from ..request import JobRequest
from .door import Door
from .sourced import fetch, zapp

EMPTY = md5(usedforsecurity=False).hexdigest()
BOUND = ("stdin", "input")
"""Devices that read the object, unless they have a path of their own."""


def hooked(door: Door, hook: Hook) -> JobRequest:
    """The job that a hook asks for. What is being written is the payload. Raises JobError."""
    fetched = fetch(door, hook.zapp)
    try:
        found = zapp(door, hook.zapp, fetched)
    finally:
        fetched.close()
    if found is None:
        raise JobError(501, f"{hook.zapp.path} is neither a tar archive with a system map nor a map")
    if hook.event is Event.ON_PUT:
        _check_sum(door.environ.get("HTTP_ETAG", ""), found.brought.payload)
        return found
    return replace(found, document=bind(found.document, hook.url))


def _check_sum(etag: str, sent: Kept | None) -> None:
    """Whether what the client sent has the checksum that it told. Raises JobError (422)."""
    told = etag.strip().strip('"').lower()
    if told and told != (sent.digest() if sent else EMPTY):
        raise JobError(422, "The Etag header is not the MD5 of what came")


def bind(document: Any, url: str) -> Any:
    """The map with a path for every ``stdin`` and ``input`` that has none. What is wrong in it is left for the planner."""
    return [_group(group, url) for group in document] if isinstance(document, list) else document


def _group(group: Any, url: str) -> Any:
    key = "file_list" if isinstance(group, dict) and "file_list" in group else "devices"
    if not isinstance(group, dict) or not isinstance(group.get(key), list):
        return group
    return {**group, key: [_device(device, url) for device in group[key]]}


def _device(device: Any, url: str) -> Any:
    if not isinstance(device, dict) or device.get("path"):
        return device
    name = device.get("device", device.get("name"))
    return {**device, "path": url} if name in BOUND else device
