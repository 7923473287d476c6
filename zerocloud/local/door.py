"""The filter that decides who may talk to a local Swift, and leads to the zapp that is served.

It listens on this machine's own address, where every user of the machine, and every page in a browser, can send requests.
With a token only its holder is heard. Without one (``zapp serve``) requests must name this machine as their host, and must not
come from pages of other origins: no page elsewhere runs somebody's zapp, or reads files through it. Until the zapp has been put
there, through this very address, who asks for it is told to ask again: that it is not found would be no passing thing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from swift.common.swob import HTTPForbidden, HTTPServiceUnavailable, HTTPUnauthorized, Request, str_to_wsgi, wsgi_to_str

from .names import ACCOUNT

HOSTS = ("127.0.0.1", "localhost", "[::1]")
SWIFTS = ("v1", "v1.0", "api", "open", "queue", "healthcheck")
"""First parts of paths that are the cluster's own; all others are the served zapp's."""
INDEX = "index.html"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Door:
    """The filter."""

    def __init__(self, application: Application, token: str, served: str) -> None:
        self._application = application
        self._token = token
        self._served = served
        self._there = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Refuse, or pass on."""
        if refused := self._refused(environ):
            response: Iterable[bytes] = refused(environ, start_response)
            return response
        path = str(wsgi_to_str(environ["PATH_INFO"]))
        if self._served and path.split("/")[1] not in SWIFTS:
            if not self._is_there():
                early: Iterable[bytes] = _early()(environ, start_response)
                return early
            environ["PATH_INFO"] = str_to_wsgi(self._served_path(environ, path))
        return self._application(environ, start_response)

    def _refused(self, environ: Mapping[str, Any]) -> Any:
        """The response that refuses a request; None for those that may pass."""
        if self._token:
            given = environ.get("HTTP_X_AUTH_TOKEN", "")
            return None if hmac.compare_digest(given.encode("latin-1"), self._token.encode()) else HTTPUnauthorized()
        host = environ.get("HTTP_HOST", "")
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            return HTTPForbidden(body="This is a server for the machine that it runs on\n", content_type="text/plain")
        origin = environ.get("HTTP_ORIGIN", "")
        if origin and urlsplit(origin).netloc != host:
            return HTTPForbidden(body=f"Pages of {origin} may not talk to this server\n", content_type="text/plain")
        return None

    def _is_there(self) -> bool:
        """Whether the zapp has been put there; then it stays."""
        if not self._there:
            container = Request.blank(f"/v1/{ACCOUNT}/{self._served}", method="HEAD").get_response(self._application)
            self._there = "X-Container-Meta-Rest-Endpoint" in container.headers
        return self._there

    def _served_path(self, environ: dict[str, Any], path: str) -> str:
        """A file of the zapp's page, or the zapp itself."""
        page = f"/v1/{ACCOUNT}/{self._served}/{path.lstrip('/') or INDEX}"
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            looking = Request.blank(page, method="HEAD")
            if not path.endswith("/") or path == "/":
                answer = looking.get_response(self._application)
                if answer.status_int == 200:
                    return page
        return f"/api/{ACCOUNT}/{self._served}{path}"


def _early() -> Any:
    return HTTPServiceUnavailable(
        body="The zapp is not here yet: ask again in a moment\n", content_type="text/plain", headers={"Retry-After": "1"}
    )


def filter_factory(_global_conf: Mapping[str, str], **conf: str) -> Callable[[Application], Door]:
    """The paste entry point."""
    return lambda application: Door(application, conf.get("token", ""), conf.get("served", ""))
