"""Which way in a request takes (HTTP API, sections 1 to 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zerocloud.sysmap import SwiftPath

from ..access import authorize_execution
from ..errors import JobError
from ..request import ZAPP, JobRequest
from .door import JSON, TAR_TYPES, Door, plain_type
from .opened import Opened, fetch
from .posted_map import posted_map
from .rest import api, endpoint, open_object
from .script import posted_script
from .sourced import source_path, sourced
from .tar_image import posted_image

Read = Callable[[Door, Opened], JobRequest]
"""Makes a job of an object that is open."""

OPEN, API = "open/1.0", "api/1.0"


def choose(door: Door, execute: str, source: str | None) -> tuple[Door, JobRequest]:
    """What a request asks for, and the door with the rights that it has then. Raises JobError and Refused.

    ``execute`` is the value of ``X-Zerovm-Execute``, ``source`` that of ``X-Zerovm-Source``.
    """
    if execute == API:
        if not door.container:
            raise JobError(412, "Bad URL: /api/account/container is expected")
        return _as_zapp(door, endpoint(door.pipeline, door.account, door.container), api, _own_path(door))
    if execute == OPEN:
        if not (door.container and door.object):
            raise JobError(412, "Bad URL: /open/account/container/object is expected")
        return _as_zapp(door, _own_path(door), open_object, _own_path(door))
    if door.method != "POST":
        raise JobError(501, f"A job is requested by POST, not by {door.method}")
    if source is not None:
        return _as_zapp(door, source_path(source, door.account), sourced, SwiftPath(door.account))
    chained = door.environ.get(ZAPP)  # a later job of a chain has the leave of the first
    own = replace(door, pipeline=door.pipeline.on_behalf_of(chained)) if chained else door
    authorize_execution(own.pipeline, own.environ, SwiftPath(door.account))
    return own, _posted(own)


def _own_path(door: Door) -> SwiftPath:
    return SwiftPath(door.account, door.container, door.object)


def _as_zapp(door: Door, zapp: SwiftPath, read: Read, runs_at: SwiftPath) -> tuple[Door, JobRequest]:
    """A job that comes from an object. The object is read first; then the right to execute is asked for (section 12).

    Whoever runs it so may have the leave of its containers' owners for that. Only then anything of the client's is read.
    """
    own = replace(door, pipeline=door.pipeline.on_behalf_of(zapp))
    opened = fetch(own, zapp)
    door.environ[ZAPP] = zapp
    try:
        authorize_execution(own.pipeline, own.environ, runs_at)
        return own, read(own, opened)
    finally:
        opened.fetched.close()


def _posted(door: Door) -> JobRequest:
    content_type = plain_type(door.environ.get("CONTENT_TYPE"))
    if not content_type:
        raise JobError(400, "Must specify Content-Type")
    if content_type == JSON:
        return posted_map(door)
    if content_type in TAR_TYPES:
        return posted_image(door, content_type)
    return posted_script(door)


__all__ = ["API", "OPEN", "choose"]
