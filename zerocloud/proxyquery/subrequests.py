"""What a job does to Swift, it does as its user would: requests through the rest of the pipeline, with the caller's identity.

The only place that builds them. Names are native strings here, and become WSGI strings on the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from swift.common.concurrency import Semaphore
from swift.common.constraints import check_utf8, valid_api_version
from swift.common.swob import str_to_wsgi, wsgi_to_str
from swift.common.utils import FileLikeIter, close_if_possible, drain_and_close
from swift.common.wsgi import make_env, make_pre_authed_env, make_subrequest
from swift.proxy.controllers.base import get_container_info

from zerocloud.sysmap import SwiftPath

from .errors import JobError
from .setuid import SetUid

SOURCE = "ZC"
_MAKING = Semaphore(1)
CHAIN = "zerocloud.hooks"
"""In a request's environment: the hooks that led to it. Requests on its behalf have it too."""


MADE_OF_OTHERS = ("x-static-large-object", "x-object-manifest")


def version_of(headers: Mapping[str, str]) -> tuple[str, str] | None:
    """The ETag and the time of an object that is open, by which its content can be known again; None for some.

    Those are made of other objects: Swift tells that they are unchanged without asking for the right to read these.
    """
    etag, timestamp = headers.get("etag"), headers.get("x-timestamp")
    if not etag or not timestamp or any(name in headers for name in MADE_OF_OTHERS):
        return None
    return etag, timestamp


def object_path(wsgi_path: str) -> SwiftPath | None:
    """The object that a request's path (a WSGI string) names; None if it names none of Swift's, which are UTF-8."""
    path = str(wsgi_to_str(wsgi_path))
    first, version, account, container, name = [*path.split("/", 4), "", "", "", ""][:5]
    if first or not valid_api_version(version) or not (account and container and name):
        return None
    if not check_utf8(path, internal=True):
        return None
    return SwiftPath(account, container, name)


@dataclass(frozen=True)
class Fetched:
    """A response that is open: ``chunks`` gives its body, and ``close`` must be called unless it was read to its end."""

    status: int
    headers: Mapping[str, str]
    length: int | None
    body: Any

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces. Closes it in any case."""
        try:
            yield from self.body
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the body."""
        close_if_possible(self.body)

    def text(self, limit: int = 1000) -> str:
        """The first bytes of the body as a text; closes it."""
        data = b""
        for piece in self.chunks():
            data += piece
            if len(data) >= limit:
                break
        return data[:limit].decode("utf-8", "replace")


class Pipeline:
    """The filters to the right of this one, for requests on behalf of one client's request."""

    def __init__(self, application: Any, environ: Mapping[str, Any], version: str) -> None:
        self._application = application
        self._environ = environ
        self._version = version

    def detached(self) -> Pipeline:
        """The same for work that goes on when the client has had its answer: without its connection."""
        environ = make_env(dict(self._environ), agent=None, swift_source=SOURCE)
        environ["swift.infocache"] = {}
        if CHAIN in self._environ:
            environ[CHAIN] = self._environ[CHAIN]
        return Pipeline(self._application, environ, self._version)

    def privileged(self) -> Pipeline:
        """One whose requests are not authorized by anybody: for what the proxy itself keeps in an account."""
        environ = make_pre_authed_env(dict(self._environ), agent=None, swift_source=SOURCE)
        return Pipeline(self._application, environ, "v1")

    @property
    def granted(self) -> bool:
        """Whether the caller was let in by a container's grant, not as the account's owner."""
        authorize = self._environ.get("swift.authorize")
        return isinstance(authorize, SetUid) and authorize.granted

    def on_behalf_of(self, zapp: SwiftPath) -> Pipeline:
        """The same for what a zapp does, which its containers' owners may have granted to the caller."""
        authorize = self._environ.get("swift.authorize")
        if authorize is None:
            return self
        granting = SetUid(authorize, zapp, self.container_info)
        return Pipeline(self._application, {**self._environ, "swift.authorize": granting}, self._version)

    def get(self, path: SwiftPath, query: str = "", headers: Mapping[str, str] | None = None) -> Fetched:
        """GET an account, a container or an object. A refusal is an answer like others."""
        return self._fetch("GET", path, query, headers)

    def head(self, path: SwiftPath) -> Fetched:
        """What a GET of an object would be, without its body."""
        fetched = self._fetch("HEAD", path, "", None)
        fetched.close()
        return fetched

    def put(self, path: SwiftPath, headers: Mapping[str, str], content: Iterator[bytes], length: int) -> tuple[int, str]:
        """PUT an object of ``length`` bytes: the status, and the first words of the answer."""
        request = self._request("PUT", path, "", headers)
        request.environ["wsgi.input"] = FileLikeIter(content)
        request.environ["CONTENT_LENGTH"] = str(length)
        response = request.get_response(self._application)
        return response.status_int, Fetched(response.status_int, {}, None, response.app_iter or ()).text()

    def delete(self, path: SwiftPath, headers: Mapping[str, str]) -> int:
        """DELETE an object: the status."""
        response = self._request("DELETE", path, "", headers).get_response(self._application)
        drain_and_close(response, 1 << 16)
        return int(response.status_int)

    def store(self, path: SwiftPath, headers: Mapping[str, str], content: Iterator[bytes], length: int) -> None:
        """PUT an object, into a container that is made if it is missing. Raises JobError."""
        status, text = self.put(path, headers, content, length)
        if status == 404:  # told before anything of the content is read
            self._make_container(SwiftPath(path.account, path.container))
            status, text = self.put(path, headers, content, length)
        if not 200 <= status < 300:
            raise JobError(status, f"Status {status} when putting {path.path}: {' '.join(text.split())}")

    def _make_container(self, container: SwiftPath) -> None:
        """PUT a container, unless another green thread does: a storm of first jobs must not become one of containers."""
        with _MAKING:
            if int(self.container_info(container)["status"]) == 404:
                self._request("PUT", container, "", None).get_response(self._application)

    def authorize(self, method: str, path: SwiftPath, acl: str | None) -> Any:
        """Ask the authorizer whether the caller may do this: None if so, else its response (HTTP API, section 12)."""
        callback = self._environ.get("swift.authorize")
        if callback is None:
            return None
        request = self._request(method, path, "", None)
        request.acl = acl
        return callback(request)

    def container_info(self, path: SwiftPath) -> Mapping[str, Any]:
        """What Swift knows of a path's container; from its cache where possible, and without regard to rights."""
        wsgi_path = str_to_wsgi(f"/{self._version}/{path.account}/{path.container}")
        environ = make_env(self._environ, method="HEAD", path=wsgi_path, query_string="", swift_source=SOURCE)
        info: Mapping[str, Any] = get_container_info(environ, self._application, swift_source=SOURCE)
        return info

    def _fetch(self, method: str, path: SwiftPath, query: str, headers: Mapping[str, str] | None) -> Fetched:
        response = self._request(method, path, query, headers).get_response(self._application)
        found = {name.lower(): wsgi_to_str(value) for name, value in response.headers.items()}
        fetched = Fetched(response.status_int, found, response.content_length, response.app_iter or ())
        if not 200 <= fetched.status < 300:
            drain_and_close(response, 1 << 16)
        return fetched

    def _request(self, method: str, path: SwiftPath, query: str, headers: Mapping[str, str] | None) -> Any:
        url = quote(f"/{self._version}{path.path}", errors="surrogateescape") + (f"?{query}" if query else "")
        wsgi = {name: str_to_wsgi(value) for name, value in (headers or {}).items()}
        request = make_subrequest(
            self._environ, method=method, path=url, headers=wsgi, agent="%(orig)s ZeroCloud", swift_source=SOURCE
        )
        if CHAIN in self._environ:
            request.environ[CHAIN] = self._environ[CHAIN]
        return request
