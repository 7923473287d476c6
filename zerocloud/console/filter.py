"""Serves the console from Swift's proxy, under ``/console/``: the page, the cluster and the sign-in share one origin, so that
no rules for other origins have to be set up.

Paste, anywhere left of the authentication, since the page is for people who have no token yet; right of ``proxy-logging`` if
its requests shall be logged::

    [filter:zero_console]
    use = egg:zerocloud#zero_console
    auth_url = /auth/v1.0
    connect_sources =
    execution = yes

``auth_url`` is where the page signs in. ``connect_sources`` are other origins that the page may talk to: that of ``auth_url``,
or of the storage URLs that it hands out, where they are not the proxy's own. Without ``execution`` the page only manages files.

The page's own policy on content stands in ``index.html``, so that it holds wherever the page is stored; what only a header can
say is added here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from swift.common.swob import HTTPMethodNotAllowed, HTTPMovedPermanently, HTTPNotFound, Request, Response, wsgi_to_str

from .files import INDEX, File, page
from .settings import Settings

PREFIX = "/console"
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ZeroConsole:
    """The WSGI application around the rest of the pipeline."""

    def __init__(self, application: Any, settings: Settings) -> None:
        self._application = application
        self._files = {file.name: file for file in page(settings)}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer requests for the page; let all others pass untouched."""
        path = wsgi_to_str(environ.get("PATH_INFO", ""))
        answer = self._answer(Request(environ), path) if path == PREFIX or path.startswith(f"{PREFIX}/") else self._application
        body: Iterable[bytes] = answer(environ, start_response)
        return body

    def _answer(self, request: Request, path: str) -> Any:
        if request.method not in ("GET", "HEAD"):
            return HTTPMethodNotAllowed(request=request, headers={"Allow": "GET, HEAD"})
        if path == PREFIX:
            return HTTPMovedPermanently(request=request, location=f"{PREFIX}/")
        file = self._files.get(path.removeprefix(f"{PREFIX}/") or INDEX)
        return HTTPNotFound(request=request) if file is None else _response(request, file)


def _response(request: Request, file: File) -> Response:
    response = Response(request=request, body=file.content, content_type=file.media_type, headers=HEADERS)
    response.etag = file.etag
    response.conditional_response = True
    return response
