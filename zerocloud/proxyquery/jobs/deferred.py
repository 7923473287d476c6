"""Jobs whose clients don't wait: they run on in the background, and leave their answers as objects (HTTP API, section 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import simplejson
from swift.common.concurrency import Event, Timeout, spawn
from swift.common.swob import Request, Response, wsgi_to_str

from zerocloud.sysmap import SwiftPath

from ..access import authorize_execution
from ..cluster import Cluster
from ..errors import ClientGone, JobError
from ..hangup import watched
from ..job import HUNG_UP, Execution
from ..request import JobRequest
from ..separate import STORY_TYPE
from ..subrequests import Pipeline
from .ending import UNKNOWN
from .store import JobStore

DEFERRED = "X-Zerovm-Deferred"


class Deferral(Enum):
    """Whether a client waits for its job."""

    NEVER = "never"
    ALWAYS = "always"
    AUTO = "auto"  # for as long as ``interactive_timeout``


def deferral(request: Request) -> Deferral:
    """What the client asks for. Raises JobError (400)."""
    text = request.headers.get(DEFERRED, Deferral.NEVER.value).strip().lower()
    try:
        return Deferral(text)
    except ValueError:
        raise JobError(400, f"{DEFERRED}: {text[:20]}: expected always, auto or never") from None


@dataclass(frozen=True)
class Destination:
    """Where an answer is to lie, and the pipeline that takes it there."""

    path: SwiftPath
    pipeline: Pipeline


def destination(own: Pipeline, request: Request, account: str, job: str, named: bool) -> Destination:
    """Where a request wants the answer of its job; ``named`` says that its URL may tell. Raises JobError (400) and Refused.

    ``own`` are the client's own rights. What others have granted is for what their zapps do; it leaves no answers with them.
    """
    authorize_execution(own, request.environ, SwiftPath(account))
    path = result_path(request) if named else None
    if path is None:
        return Destination(JobStore.result(account, job), own.detached().privileged())
    return Destination(path, own.detached())


def run_deferred(
    cluster: Cluster, job: str, asked: JobRequest, pipeline: Pipeline, request: Request, when: Deferral, where: Destination
) -> Response:
    """Run a job for a client that won't wait, or not for long; its answer, or where that will lie.

    Raises JobError and ClientGone.
    """
    left = when is Deferral.ALWAYS
    background = _Background(cluster, job, asked, pipeline, request.environ, where, left)
    if when is Deferral.AUTO:
        gone: list[bool] = []

        def hang_up() -> None:
            gone.append(True)
            background.execution.live.cancel(HUNG_UP)

        with watched(request.environ, hang_up):
            response = background.wait(cluster.settings.interactive_timeout)
        if response is not None:
            if gone:
                response.app_iter.close()
                raise ClientGone(job)
            return response
        background.leave()
    return Response(status=200, body=background.result.url.encode(), content_type="text/plain", request=request)


def result_path(request: Request) -> SwiftPath | None:
    """Where the request's URL says that the answer is to lie. Raises JobError (400)."""
    parts = [wsgi_to_str(part) for part in request.path_info.split("/", 4)[2:]]
    account, container, name = [*parts, "", ""][:3]
    if not container:
        return None
    if not name:
        raise JobError(400, f"A deferred job's answer is an object: name it after {container}/")
    return SwiftPath(account, container, name)


class _Background:
    """A job in a green thread of its own, which outlives its client's connection."""

    def __init__(
        self,
        cluster: Cluster,
        job: str,
        asked: JobRequest,
        pipeline: Pipeline,
        environ: Mapping[str, Any],
        where: Destination,
        left: bool,
    ) -> None:
        """``left``: nobody waits for it from the beginning."""
        self.result = where.path
        self._storing = where.pipeline
        self._logger = cluster.logger
        self._done = Event()
        self._left = left
        self.execution = Execution(cluster, job, asked, pipeline.detached(), environ, self.result.url if left else None)
        spawn(self._run)

    def leave(self) -> None:
        """Nobody waits any more: the answer is to be stored."""
        self._left = True
        self.execution.defer(self.result.url)

    def wait(self, seconds: float) -> Any:
        """The job's response, or None if it takes longer. Raises what ended the job instead."""
        with Timeout(seconds, False):
            self._done.wait()
        return self._done.wait() if self._done.ready() else None

    def _run(self) -> None:
        """The edge of the thread."""
        try:
            response = self.execution.run()
        except Exception as error:  # noqa: BLE001 - raised again for who waits; else told where the answer was to lie
            if self._left:
                self._tell(error)
            else:
                self._done.send_exception(error)
            return
        if self._left:
            self._leave(response)
        else:
            self.execution.close()
            self._done.send(response)

    def _leave(self, response: Any) -> None:
        """Leave the answer where it is to lie."""
        trouble = UNKNOWN.error
        headers = {name: wsgi_to_str(value) for name, value in response.headers.items()}
        try:
            self._store(headers, response.app_iter, response.app_iter.size)
            trouble = ""
        except JobError as error:
            trouble = f"the answer could not be stored: {error.text}"
            self._logger.warning("job %s: %s", self.execution.live.about.id, trouble)
        finally:
            response.app_iter.close()
            self.execution.close(trouble)

    def _tell(self, error: Exception) -> None:
        """The job has no answer: leave the reason."""
        self._logger.error("job %s failed: %s", self.execution.live.about.id, error, exc_info=error)
        reason = error.text if isinstance(error, JobError) else UNKNOWN.error
        text = reason.encode("utf-8", "replace")
        try:
            self._store({"Content-Type": STORY_TYPE}, iter((text,)), len(text))
        except JobError as trouble:
            self._logger.warning("job %s: the reason could not be stored: %s", self.execution.live.about.id, trouble.text)

    def _store(self, headers: Mapping[str, str], content: Iterator[bytes], size: int) -> None:
        """PUT a body, and its headers as another object beside it. Raises JobError."""
        self._storing.store(self.result, {"Content-Type": headers["Content-Type"]}, content, size)
        text = simplejson.dumps(dict(headers)).encode()
        self._storing.store(beside(self.result), {"Content-Type": "application/json"}, iter((text,)), len(text))


def beside(path: SwiftPath) -> SwiftPath:
    """The object with an answer's headers."""
    return SwiftPath(path.account, path.container, f"{path.object}.headers")
