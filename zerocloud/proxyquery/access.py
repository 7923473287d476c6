"""Who may do what: every right that a job needs, asked of the pipeline's authorizer before anything runs.

Source: HTTP API, section 12. What is read or written by requests through the pipeline is authorized there once more; what a
storage server opens itself, the local object, is only authorized here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from zerocloud.sysmap import Access, Node, SwiftPath

from .errors import JobError, Refused
from .subrequests import Pipeline


def authorize_execution(pipeline: Pipeline, environ: Mapping[str, Any], path: SwiftPath) -> None:
    """The right to run jobs at a path: its account's owner's. Raises Refused, or JobError (401).

    A request that a filter to the left has let pass by itself, such as a temporary URL, has a right to one object; but its
    authorizer would say yes to the whole account. It can't run jobs.
    """
    if environ.get("swift.authorize_override"):
        raise JobError(401, "A request that is authorized for single objects, like a temporary URL, can't run jobs")
    _check(pipeline, "POST", path, None)


def authorize_nodes(pipeline: Pipeline, nodes: Iterable[Node]) -> None:
    """The rights to all objects of a job: reading by the container's read ACL, writing by its write ACL.

    Each container is asked for once, with the first of its objects; reading the container itself is another right. Raises
    Refused, or JobError (404) for a container that does not exist.
    """
    seen: set[tuple[str, str, str, bool]] = set()
    for method, path in _uses(nodes):
        key = (method, path.account, path.container, bool(path.object))
        if key in seen:
            continue
        seen.add(key)
        info = pipeline.container_info(path)
        _check(pipeline, method, path, info["read_acl" if method == "GET" else "write_acl"])
        _check_exists(path, int(info["status"]))


def _check_exists(path: SwiftPath, status: int) -> None:
    """Only whoever has the right to a container learns that it is not there."""
    if not 200 <= status < 300:
        where = SwiftPath(path.account, path.container).path
        raise JobError(404 if status == 404 else 503, f"Error while fetching {where}")


def _uses(nodes: Iterable[Node]) -> Iterator[tuple[str, SwiftPath]]:
    """Everything that is read or written, with the method that it is like."""
    for node in nodes:
        if isinstance(node.exe, SwiftPath):
            yield "GET", node.exe
        for channel in node.channels:
            if isinstance(channel.path, SwiftPath) and channel.path.container:
                if channel.access & (Access.READABLE | Access.CDR):
                    yield "GET", channel.path
                elif channel.access & Access.WRITABLE:
                    yield "PUT", channel.path


def _check(pipeline: Pipeline, method: str, path: SwiftPath, acl: str | None) -> None:
    response = pipeline.authorize(method, path, acl)
    if response is not None:
        raise Refused(response)
