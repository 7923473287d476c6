"""Sees every request that goes on to the rest of the pipeline, of clients and of jobs, and gives those with a hook to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from swift.common.swob import Request, str_to_wsgi, wsgi_to_str

from zerocloud.sysmap import SwiftPath

from ..errors import ClientGone, JobError, Refused
from ..refusals import refuse
from ..subrequests import SOURCE, Pipeline, object_path
from .after_put import AfterPut
from .guard import READS, guard
from .hook import HIDDEN, Event, Hook, hook_of
from .on_get import read_through
from .on_put import write_through

RunHook = Callable[[dict[str, Any], Hook], Any]
"""Runs the job of a hook for a request, given by its environment; its response. Raises JobError, ClientGone."""


class Gate:
    """The WSGI application that stands in for the rest of the pipeline."""

    def __init__(self, application: Any, run: RunHook, patience: float, logger: Any) -> None:
        """``patience`` is after how many seconds a hook that nobody runs any more is taken over."""
        self._application = application
        self._run = run
        self._after_put = AfterPut(application, run, patience, logger)

    def __getattr__(self, name: str) -> Any:
        """What Swift looks for at applications, it finds at the one behind: its helpers follow the pipeline that way."""
        return getattr(self._application, name)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request that has a hook; let all others pass."""
        self._after_put.watch(environ)
        path = _object_path(environ)
        if path is None:
            return self._pass(environ, start_response)
        request = Request(_as_put(environ, path) if environ["REQUEST_METHOD"] == "COPY" else environ)
        try:
            response = self._answer(request, path)
        except Refused as refused:
            response = refused.response
        except JobError as error:
            response = refuse(request, error)
        except ClientGone:
            response = refuse(request, JobError(499, "The client closed its connection"))
        if response is None:
            return self._pass(environ, start_response)
        answered: Iterable[bytes] = response(environ, start_response)
        return answered

    def _pass(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self._guard(environ)
        passed: Iterable[bytes] = self._application(environ, start_response)
        return passed

    def _guard(self, environ: dict[str, Any]) -> None:
        guard(environ, Pipeline(self._application, dict(environ), "v1").container_info)

    def _answer(self, request: Any, path: SwiftPath) -> Any:
        """The response of a hook, None if there is none. Raises JobError, Refused and ClientGone."""
        pipeline = Pipeline(self._application, request.environ, "v1")
        info = pipeline.container_info(path)
        meta = info.get("meta") or {}
        if request.method != "PUT":
            hook = hook_of(meta, Event.ON_GET, path)
            return read_through(request, hook, info, pipeline, self._run) if hook else None
        writing, following = hook_of(meta, Event.ON_PUT, path), hook_of(meta, Event.AFTER_PUT, path)
        put = self._after_put.around(following) if following else self._put
        self._guard(request.environ)
        if writing:
            return write_through(request, writing, info, pipeline, self._run, put)
        return put(request) if following else None

    def _put(self, request: Any) -> Any:
        return request.get_response(self._application)


def _object_path(environ: dict[str, Any]) -> SwiftPath | None:
    """The object that a request reads or writes, if its container may have hooks for that; what jobs read has none."""
    method = environ.get("REQUEST_METHOD")
    if method not in (*READS, "PUT", "COPY") or (method in READS and environ.get("swift.source") == SOURCE):
        return None
    path = object_path(environ.get("PATH_INFO", ""))
    if method == "COPY" and path is not None:
        path = _destination(environ, path)
    return None if path is None or path.container.startswith(HIDDEN) else path


def _destination(environ: Mapping[str, Any], source: SwiftPath) -> SwiftPath | None:
    """Where a COPY writes to; None if that is nowhere, which Swift will tell."""
    account = unquote(wsgi_to_str(environ.get("HTTP_DESTINATION_ACCOUNT", ""))) or source.account
    container, _, name = unquote(wsgi_to_str(environ.get("HTTP_DESTINATION", ""))).removeprefix("/").partition("/")
    return SwiftPath(account, container, name) if container and name else None


def _as_put(environ: Mapping[str, Any], destination: SwiftPath) -> dict[str, Any]:
    """A COPY as the PUT that Swift makes of it, so that it has the hooks of one."""
    source = object_path(environ["PATH_INFO"])
    assert source is not None
    return {
        **{key: value for key, value in environ.items() if key not in ("HTTP_DESTINATION", "HTTP_DESTINATION_ACCOUNT")},
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": str_to_wsgi(f"/v1{destination.path}"),
        "HTTP_X_COPY_FROM": quote(f"/{source.container}/{source.object}"),
        "HTTP_X_COPY_FROM_ACCOUNT": quote(source.account),
        "CONTENT_LENGTH": "0",
    }
