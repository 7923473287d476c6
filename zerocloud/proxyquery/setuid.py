"""Set-uid: what a zapp may do on behalf of callers who have no rights of their own (HTTP API, section 12).

The owner of a container grants it by two headers of the container: ``X-Container-Meta-Rest-Endpoint`` names the zapp, and
``X-Container-Meta-Zerovm-Suid`` is an access list of those who may run it on what is in the container. Each request of a job,
down to the segments of large objects and the targets of links, is asked about by itself: a grant never reaches beyond the
containers that give it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from swift.common.swob import wsgi_to_str

from zerocloud.sysmap import SwiftPath, UrlError, parse_swift_url

ENDPOINT, GRANT = "rest-endpoint", "zerovm-suid"

Authorize = Callable[[Any], Any]


class SetUid:
    """An authorizer that asks another one, and, where that says no, once more with the container's grant."""

    def __init__(self, authorize: Authorize, zapp: SwiftPath, container_info: Callable[[SwiftPath], Mapping[str, Any]]) -> None:
        self._authorize = authorize
        self._zapp = zapp
        self._container_info = container_info
        self.granted = False
        """Whether something was allowed by a grant: the caller is not the owner."""

    def __call__(self, request: Any) -> Any:
        """None if the request is allowed, else the response that refuses it."""
        denied = self._authorize(request)
        if denied is None:
            return None
        grant = self._grant(wsgi_to_str(request.path_info))
        if not grant:
            return denied
        request.acl = grant
        denied = self._authorize(request)
        self.granted = self.granted or denied is None
        return denied

    def _grant(self, path: str) -> str:
        """Whom the container of a request's path lets run the zapp. An account's is that of the zapp's own container."""
        _, _, account, container, *_ = [*path.split("/", 4), "", "", ""]
        if not container and account != self._zapp.account:
            return ""
        meta = self._container_info(SwiftPath(account, container or self._zapp.container)).get("meta") or {}
        return wsgi_to_str(meta.get(GRANT, "")) if self._serves(wsgi_to_str(meta.get(ENDPOINT, ""))) else ""

    def _serves(self, url: str) -> bool:
        try:
            return bool(url) and parse_swift_url(url, "") == self._zapp
        except UrlError:
            return False
