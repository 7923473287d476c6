"""Addresses that are programs: ``/open/account/container/zapp`` and ``/api/account/container/…`` (HTTP API, section 4).

Each request asks for the zapp anew, with the rights of its caller. So a zapp that was deployed again is served at once, and no
answer passes by an access list; what this process has read of it before is read again only if it has changed.
"""

from __future__ import annotations

from typing import Any

from swift.common.swob import wsgi_to_str

from zerocloud.sysmap import SwiftPath, UrlError, parse_swift_url

from ..errors import JobError
from ..request import JobRequest
from ..setuid import ENDPOINT
from ..subrequests import Pipeline
from .association import associated, template
from .door import JSON, Door
from .opened import Opened
from .sourced import NoMapError, zapp

READING = frozenset(("GET", "HEAD"))


def endpoint(pipeline: Pipeline, account: str, container: str) -> SwiftPath:
    """The zapp that serves a container, named in its metadata. Raises JobError (404)."""
    info = pipeline.container_info(SwiftPath(account, container))
    url = wsgi_to_str(info["meta"].get(ENDPOINT, ""))
    if not url:
        raise JobError(404, f"No API endpoint configured for container {container}")
    try:
        path = parse_swift_url(url, "")
    except UrlError as error:
        raise _no_endpoint(container, str(error)) from error
    if not path.account or not path.object:
        raise _no_endpoint(container, url)
    return path


def _no_endpoint(container: str, why: str) -> JobError:
    return JobError(404, f"The API endpoint of container {container} is not swift://account/container/object: {why}")


def api(door: Door, opened: Opened) -> JobRequest:
    """The job of a container's endpoint. Raises JobError: 501 for one that is no zapp."""
    found = _zapp(door, opened)
    if found is None:
        raise JobError(501, f"{opened.path.path} is neither a tar archive with a system map nor a map")
    return found


def open_object(door: Door, opened: Opened) -> JobRequest:
    """The job of a zapp, or of the program that is registered for the type of an object. Raises JobError.

    JSON that does not look like a map is data, if a program is registered for that; else it is a map with mistakes, which are
    told.
    """
    wrong: JobError | None = None
    try:
        found = _zapp(door, opened)
    except JobError as error:
        if opened.kind != JSON:
            raise
        found, wrong = None, error
    if found is not None and _looks_like_a_map(found.document):
        return found
    nothing = found is None and wrong is None
    if door.method in READING:
        registered = template(door, opened.kind)
        if registered is not None or nothing:
            return associated(door, opened.path, opened.kind, registered)
    if found is not None:
        return found
    raise wrong or JobError(501, f"{opened.path.path} is no zapp: it can be opened by GET only")


def _looks_like_a_map(document: Any) -> bool:
    return isinstance(document, list) and any(isinstance(group, dict) and "exec" in group for group in document)


def _zapp(door: Door, opened: Opened) -> JobRequest | None:
    """The job of an open object, None for one that is no zapp. Raises JobError."""
    try:
        return zapp(door, opened)
    except NoMapError:
        return None
