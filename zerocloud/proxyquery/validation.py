"""Programs are validated and compiled when they are stored, and marked as valid (HTTP API, section 15).

The mark is system metadata of the object, which no client can set: the ETag of the bytes that were validated. It is stored in
the same PUT as they are, so an overwrite takes it away; and it counts only while it is the object's ETag, so that a server-side
copy of a part, which brings the source's metadata along, is not valid by that.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from swift.common.swob import Request, str_to_wsgi, wsgi_to_str
from swift.common.utils import FileLikeIter, config_true_value

from zerocloud.sysmap import SwiftPath
from zerocloud.wire import VALID

from .cluster import Cluster
from .compilers import Compilers
from .errors import JobError, Refused
from .intake import Intake, Kept
from .refusals import refuse
from .request import JobIds
from .settings import Settings
from .subrequests import SOURCE, Pipeline, object_path
from .ways.association import PROGRAMS
from .ways.door import plain_type

ASKED = "X-Zerovm-Validate"
INVALID = "X-Zerovm-Invalid"
"""Why an object that was to be validated has no mark."""
STORED_MARK, POSTED_MARK = "X-Object-Sysmeta-Zerovm-Valid", "X-Object-Transient-Sysmeta-Zerovm-Valid"
"""That of a PUT stays for as long as the bytes do, that of a POST until the next POST."""
BY_REFERENCE = ("HTTP_X_COPY_FROM", "HTTP_X_SYMLINK_TARGET", "HTTP_X_OBJECT_MANIFEST")


@dataclass(frozen=True)
class Verdict:
    """What the storage servers say of a program with this ETag: ``reason`` is empty if it is valid."""

    etag: str
    reason: str

    def tell(self, response: Any) -> None:
        """Tell the client that has stored it."""
        if 200 <= response.status_int < 300:
            response.headers[INVALID if self.reason else VALID] = str_to_wsgi(self.reason) or "true"


class Validation:
    """The WSGI application around the rest of the pipeline: sees programs that are stored, by clients and by jobs."""

    def __init__(self, application: Any, settings: Settings, shared: Callable[[], Cluster]) -> None:
        self._application = application
        self._settings = settings
        self._shared = shared
        self._ids = JobIds()
        self._most = min(settings.maximum_program, settings.maximum_input)

    def __getattr__(self, name: str) -> Any:
        """What Swift looks for at applications, it finds at the one behind: its helpers follow the pipeline that way."""
        return getattr(self._application, name)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer requests for programs that are to be validated, or may be valid; let all others pass."""
        answer = self._application
        path = _object_path(environ)
        if path is not None:
            request = Request(environ)
            try:
                answer = self._answer(request, path) or answer
            except Refused as refused:
                answer = refused.response
            except JobError as error:
                answer = refuse(request, error)
        answered: Iterable[bytes] = answer(environ, start_response)
        return answered

    def _answer(self, request: Any, path: SwiftPath) -> Any:
        """The response, None if the request is to pass. Raises JobError."""
        if request.method in ("GET", "HEAD"):
            return self._told(request)
        for mark in (STORED_MARK, POSTED_MARK):
            request.headers.pop(mark, None)
        if not self._is_asked(request):
            return None
        pipeline = Pipeline(self._application, request.environ, "v1")
        info = pipeline.container_info(path)
        if not 200 <= int(info["status"]) < 300:
            return None
        denied = pipeline.authorize(request.method, path, wsgi_to_str(info["write_acl"] or ""))
        if denied is not None:
            raise Refused(denied)
        compilers = Compilers(
            self._shared(), path, int(info["storage_policy"]), self._ids.new(), request.environ.get("swift.trans_id", "-")
        )
        intake = Intake(self._settings)
        try:
            return (self._put if request.method == "PUT" else self._post)(request, path, compilers, intake)
        finally:
            intake.close()

    def _told(self, request: Any) -> Any:
        """An object, and whether it is marked as valid."""
        request.headers.pop(VALID)
        response = request.get_response(self._application)
        response.headers.pop(VALID, None)
        if response.etag and response.etag in (response.headers.get(STORED_MARK), response.headers.get(POSTED_MARK)):
            response.headers[VALID] = "true"
        return response

    def _is_asked(self, request: Any) -> bool:
        """Whether the request stores a program whose bytes it brings, or asks for a validation of what is there."""
        environ = request.environ
        if any(key in environ for key in BY_REFERENCE) or "multipart-manifest" in request.params:
            return False
        length = environ.get("CONTENT_LENGTH") or ""
        if request.method == "PUT" and not (length.isdecimal() and 0 < int(length) <= self._most):
            return False
        return ASKED in request.headers or (self._settings.prevalidate and _content_type(request) in PROGRAMS)

    def _put(self, request: Any, path: SwiftPath, compilers: Compilers, intake: Intake) -> Any:
        program = intake.body(request.environ)
        verdict = self._validate(program, program.digest(), compilers)
        if not verdict.reason:
            request.headers[STORED_MARK] = verdict.etag
        request.environ["wsgi.input"] = FileLikeIter(program.chunks())
        request.environ.pop("HTTP_EXPECT", None)  # answered: it is here
        response = request.get_response(self._application)
        verdict.tell(response)
        return response

    def _post(self, request: Any, path: SwiftPath, compilers: Compilers, intake: Intake) -> Any:
        """Metadata for an object that is there already. The client needs no right to read it: it learns no byte of it."""
        fetched = Pipeline(self._application, request.environ, "v1").privileged().get(path)
        etag = fetched.headers.get("etag", "").strip('"')
        if fetched.status != 200 or not etag or not 0 < (fetched.length or 0) <= self._most:
            fetched.close()
            return None
        verdict = self._validate(intake.fetched(fetched, path.path), etag, compilers)
        if not verdict.reason:
            request.headers[POSTED_MARK] = verdict.etag
        response = request.get_response(self._application)
        verdict.tell(response)
        return response

    def _validate(self, program: Kept, etag: str, compilers: Compilers) -> Verdict:
        return Verdict(etag, compilers.validate(program))


def _content_type(request: Any) -> str:
    """The type that the object will have: the client's, or Swift's guess."""
    guess = request.method == "PUT" and config_true_value(request.headers.get("X-Detect-Content-Type"))
    told = "" if guess else plain_type(request.environ.get("CONTENT_TYPE"))
    return told or (mimetypes.guess_type(request.path_info)[0] or "" if request.method == "PUT" else "")


def _object_path(environ: Mapping[str, Any]) -> SwiftPath | None:
    """The object of a request that this has something to do with."""
    method = environ.get("REQUEST_METHOD")
    if method not in ("PUT", "POST") and not (method in ("GET", "HEAD") and "HTTP_X_ZEROVM_VALID" in environ):
        return None
    if method == "POST" and environ.get("swift.source") == SOURCE:
        return None
    return object_path(environ.get("PATH_INFO", ""))


__all__ = ["ASKED", "INVALID", "POSTED_MARK", "STORED_MARK", "Validation"]
