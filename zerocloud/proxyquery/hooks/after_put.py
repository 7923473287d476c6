"""After a PUT: the zapp runs for the new object, without the client's waiting for it.

What is to be run is written down before the object is stored, and struck out when it has been run. So a proxy that dies in
between delays it, until the next request to a container of the account that has such a hook.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from swift.common.concurrency import spawn
from swift.common.wsgi import make_env

from ..errors import ClientGone, JobError
from ..subrequests import CHAIN, SOURCE, Pipeline
from .hook import Hook
from .promises import MOST_ATTEMPTS, Promise, Promises

SWEEP_SECONDS = 60.0
"""An account's old promises are looked for no more often than this."""
SERVER_ERROR = 500


class AfterPut:
    """Runs hooks in the background. One for each worker process."""

    def __init__(self, application: Any, run: Callable[[dict[str, Any], Hook], Any], logger: Any) -> None:
        self._application = application
        self._run = run
        self._logger = logger
        self._swept: dict[str, float] = {}

    def around(self, hook: Hook, pipeline: Pipeline) -> Callable[[Any], Any]:
        """A PUT that keeps its promise. It raises JobError."""

        def put(request: Any) -> Any:
            chain = hook.chained(request.environ)
            promises = Promises(pipeline.detached().privileged(), hook.object.account)
            self._sweep(request, promises)
            promise = promises.make(hook, chain)
            response = request.get_response(self._application)
            if 200 <= response.status_int < 300:
                spawn(self._keep, promise, promises, self._environ(request, promise))
            else:
                promises.strike(promise)
            return response

        return put

    def _environ(self, request: Any, promise: Promise) -> dict[str, Any]:
        """A request of nobody's connection, which says what the zapp is told."""
        environ: dict[str, Any] = make_env(request.environ, method="PUT", swift_source=SOURCE)
        environ[CHAIN] = promise.chain[:-1]
        environ["swift.infocache"] = {}
        return environ

    def _keep(self, promise: Promise, promises: Promises, environ: dict[str, Any]) -> None:
        """The edge of the thread."""
        try:
            status = self._attempt(promise, environ)
            if status < SERVER_ERROR or promise.attempts + 1 >= MOST_ATTEMPTS:
                promises.strike(promise)
            else:
                promises.delay(promise)
        except Exception:  # it stays promised
            self._logger.exception("hook %s for %s", promise.hook.zapp.path, promise.hook.object.path)

    def _attempt(self, promise: Promise, environ: dict[str, Any]) -> int:
        try:
            response = self._run(environ, promise.hook)
        except ClientGone:
            return SERVER_ERROR
        except JobError as error:
            status, text = error.status, error.text
        else:
            status, text = response.status_int, ""
            response.app_iter.close()
        if status >= 400:
            self._logger.warning("hook %s for %s failed: %d %s", promise.hook.zapp.path, promise.hook.object.path, status, text)
        return status

    def _sweep(self, request: Any, promises: Promises) -> None:
        """Take up what other workers have promised and not kept, now and then."""
        now = time.monotonic()
        if now - self._swept.get(promises.account, -SWEEP_SECONDS) < SWEEP_SECONDS:
            return
        self._swept = {account: at for account, at in self._swept.items() if now - at < SWEEP_SECONDS}
        self._swept[promises.account] = now
        for promise in promises.old():
            spawn(self._keep, promise, promises, self._environ(request, promise))
