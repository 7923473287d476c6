"""After a PUT: the zapp runs for the new object, without the client's waiting for it.

What is to be run is written down before the object is stored, renewed while somebody is at it, and struck out when it has been
run. Every proxy process looks now and then for what others have left undone: they may have died.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from swift.common.concurrency import GreenPool, sleep, spawn
from swift.common.swob import Request, Response, str_to_wsgi, wsgi_to_str
from swift.common.utils import ClosingIterator

from ..environment import remote_user
from ..errors import ClientGone, JobError
from ..subrequests import CHAIN, SOURCE, Pipeline
from .hook import Hook
from .promises import MOST_ATTEMPTS, Promise, Promises

RENEWALS = 4
"""So often a promise is renewed within the time after which others would take it over."""
MOST_TAKEN = 10
"""Promises of others that one process keeps at a time; the rest is left to more of them."""
SERVER_ERROR = 500
CONTEXT = ("swift.cache", "swift.trans_id", "HTTP_HOST")
"""What of a client's request goes on to the hook's job."""


class AfterPut:
    """Runs hooks in the background. One for each worker process."""

    def __init__(self, application: Any, run: Callable[[dict[str, Any], Hook], Any], patience: float, logger: Any) -> None:
        """``patience`` is how many seconds a promise may stay without a renewal until it is taken over."""
        self._application = application
        self._run = run
        self._patience = patience
        self._logger = logger
        self._promises = Promises(self._pipeline, patience)
        self._context: dict[str, Any] | None = None

    def watch(self, environ: Mapping[str, Any]) -> None:
        """Take up what other processes have promised and not kept, from the first request on and for as long as this one lives.

        Not from its own beginning: a server forks its workers after that.
        """
        if self._context is None:
            self._context = {"swift.cache": environ.get("swift.cache")}
            spawn(self._watch)

    def _pipeline(self) -> Pipeline:
        return Pipeline(self._application, {**Request.blank("/").environ, **(self._context or {})}, "v1").privileged()

    def around(self, hook: Hook) -> Callable[[Any], Any]:
        """A PUT that keeps its promise. It raises JobError."""

        def put(request: Any) -> Any:
            promise = self._promises.make(hook, hook.chained(request.environ), wsgi_to_str(remote_user(request.environ)))
            kept = _Kept(promise, self._promises, self._patience / RENEWALS, self._logger)
            try:
                response = request.get_response(self._application)
            except BaseException:  # whether it is stored nobody knows; whoever takes the promise over will see
                kept.close()
                raise
            if not 200 <= response.status_int < 300:
                kept.close()
                self._promises.strike(promise)
                return response
            context = {name: request.environ[name] for name in CONTEXT if name in request.environ}
            follow = partial(spawn, self._keep, kept, context)
            if response.status_int == HTTPStatus.ACCEPTED:  # the object is stored by the end of the body, not before
                return _followed(response, follow)
            follow()
            return response

        return put

    def _take_over(self, promise: Promise, context: Mapping[str, Any]) -> None:
        self._keep(_Kept(promise, self._promises, self._patience / RENEWALS, self._logger), context)

    def _keep(self, kept: _Kept, context: Mapping[str, Any]) -> None:
        """The edge of the thread."""
        promise = kept.promise
        try:
            with closing(kept):
                status = self._attempt(promise, context)
            if status < SERVER_ERROR or promise.attempts + 1 >= MOST_ATTEMPTS:
                self._promises.strike(promise)
            else:
                self._promises.delay(promise)
        except Exception:  # it stays promised
            self._logger.exception("hook %s for %s", promise.hook.zapp.path, promise.hook.object.path)

    def _attempt(self, promise: Promise, context: Mapping[str, Any]) -> int:
        hook = promise.hook
        try:
            response = self._run(_environ(promise, context), hook)
        except ClientGone:
            return SERVER_ERROR
        except JobError as error:
            status, text = error.status, error.text
        else:
            status, text = response.status_int, ""
            response.app_iter.close()
        if status >= 400:
            self._logger.warning("hook %s for %s failed: %d %s", hook.zapp.path, hook.object.path, status, text)
        return status

    def _watch(self) -> None:
        """The edge of the thread. Processes that began together do not look together."""
        pool = GreenPool(MOST_TAKEN)
        while True:
            sleep(self._patience * random.uniform(0.5, 1))  # noqa: S311 (no secret)
            try:
                for promise in self._promises.forsaken():
                    self._logger.info("hook %s for %s is taken over", promise.hook.zapp.path, promise.hook.object.path)
                    pool.spawn(self._take_over, promise, self._context)
            except Exception:
                self._logger.exception("hooks that others have left undone can't be looked for now")


class _Kept:
    """A promise that is renewed until this is closed, so that nobody else takes it over."""

    def __init__(self, promise: Promise, promises: Promises, interval: float, logger: Any) -> None:
        """``interval``, in seconds, is the time between two renewals."""
        self.promise = promise
        self._promises = promises
        self._interval = interval
        self._logger = logger
        self._renewing = spawn(self._renew)

    def close(self) -> None:
        """Stop."""
        self._renewing.kill()

    def _renew(self) -> None:
        hook = self.promise.hook
        while True:
            sleep(self._interval)
            try:
                self._promises.renew(self.promise)
            except JobError as error:
                self._logger.warning("hook %s for %s: %s", hook.zapp.path, hook.object.path, error.text)


@dataclass(frozen=True)
class _Following:
    """What follows the end of a response's body, of whatever kind that end is."""

    close: Callable[[], Any]


def _followed(response: Any, follow: Callable[[], Any]) -> Any:
    """The same response, with something to do when its body has ended."""
    body = ClosingIterator(response.app_iter, [_Following(follow)])
    return Response(status=response.status, headers=response.headers, app_iter=body, request=response.request)


def _environ(promise: Promise, context: Mapping[str, Any]) -> dict[str, Any]:
    """A request of nobody's connection, which says what the zapp is told."""
    target = promise.hook.object
    path = "/".join(quote(name) for name in ("", "v1", target.account, target.container, target.object))
    environ: dict[str, Any] = Request.blank(path, method="PUT").environ
    return {**environ, **context, "REMOTE_USER": str_to_wsgi(promise.user), "swift.source": SOURCE, CHAIN: promise.chain[:-1]}
