"""Who may do what with a queue: what the access lists of its container say (HTTP API, sections 12 and 17).

To read messages takes the right to read the container, to post and to delete them the right to write to it; to claim them,
and to extend or end a claim, takes both. To list, make and delete queues is the matter of whoever may do that with
containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zerocloud.proxyquery.subrequests import Pipeline
from zerocloud.sysmap import SwiftPath

from .errors import QueueError, Refused
from .names import ENTRIES
from .request import Target

READ, WRITE = "GET", "PUT"
ACCESS_LISTS = {READ: "read_acl", WRITE: "write_acl"}
ANY_ENTRY = "entry"


def check_caller(environ: Mapping[str, Any]) -> None:
    """Whether the request's authorizer may be asked about queues at all. Raises QueueError (401).

    A request that a filter to the left has let pass by itself, such as a temporary URL, has a right to one object; but its
    authorizer would say yes to everything.
    """
    if environ.get("swift.authorize_override"):
        raise QueueError(401, "A request that is authorized for single objects, like a temporary URL, can't use queues")


def authorize(application: Any, environ: Mapping[str, Any], target: Target, *rights: str) -> None:
    """Ask the authorizer for these rights to a queue. Raises Refused, or QueueError (404 for a queue that is not there)."""
    pipeline = Pipeline(application, environ, "v1")
    container = SwiftPath(target.account, ENTRIES + target.queue)
    info = pipeline.container_info(container)
    for right in rights:
        # Listings are read of containers, but only objects are written by virtue of an access list.
        path = container if right == READ else replace(container, object=ANY_ENTRY)
        refusal = pipeline.authorize(right, path, info[ACCESS_LISTS[right]])
        if refusal is not None:
            raise Refused(refusal)
    status = int(info["status"])
    if not 200 <= status < 300:
        raise QueueError(404 if status == 404 else 503, f"Queue {target.queue} not found (status {status})")
