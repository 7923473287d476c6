"""What is read past a container's zapp takes the right of the account's owner.

A right to read the container is one to read what its zapp makes of the objects. Jobs, server-side copies, links to an object,
and large objects with it as a segment read what is stored: by the owner's leave alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swift.common.swob import HTTPForbidden

from zerocloud.sysmap import SwiftPath

from ..subrequests import object_path
from .hook import HIDDEN, Event

READS = ("GET", "HEAD")


class Guard:
    """An authorizer (``swift.authorize``) that asks another one, without the read ACL where that is for a zapp's answers."""

    def __init__(self, authorize: Callable[[Any], Any], container_info: Callable[[SwiftPath], Mapping[str, Any]]) -> None:
        self._authorize = authorize
        self._container_info = container_info

    def __call__(self, request: Any) -> Any:
        """None if the request is allowed, else the response that refuses it."""
        path = object_path(request.path_info) if request.method in READS else None
        if path is not None and self._is_read_through(path):
            if request.environ.get("swift.authorize_override"):  # a temporary URL, for which all is the owner's
                return HTTPForbidden(request=request)
            request.acl = None
        return self._authorize(request)

    def _is_read_through(self, path: SwiftPath) -> bool:
        if path.container.startswith(HIDDEN):
            return False
        return bool((self._container_info(path).get("meta") or {}).get(Event.ON_GET.value))


def guard(environ: dict[str, Any], container_info: Callable[[SwiftPath], Mapping[str, Any]]) -> None:
    """Have a request, and those on its behalf, not read past zapps."""
    authorize = environ.get("swift.authorize")
    if authorize is not None and not isinstance(authorize, Guard):
        environ["swift.authorize"] = Guard(authorize, container_info)
