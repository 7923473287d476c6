"""Calls of functions that run by themselves: what they return can be asked for later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from .errors import JobFailed
from .jobs import Job, JobStatus
from .raised import raised
from .results import Answer

if TYPE_CHECKING:
    from .connection import Connection

Value = TypeVar("Value")


class Future(Generic[Value]):
    """What a job will return; :func:`zerocloud.client.wait` and ``as_completed`` take it like a job."""

    def __init__(self, job: Job, read: Callable[[Answer], Value]) -> None:
        """``read`` makes values of the job's answer."""
        self.job = job
        self._read = read

    @property
    def id(self) -> str:
        """Its job's id."""
        return self.job.id

    @property
    def connection(self) -> Connection:
        """The connection that its job belongs to."""
        return self.job.connection

    def known_status(self) -> JobStatus | None:
        """How its job stands; None if the cluster has forgotten it. Raises ClientError."""
        return self.job.known_status()

    def done(self) -> bool:
        """Whether it has come to its end, well or not. Raises ClientError."""
        return self.job.done()

    def cancel(self) -> bool:
        """End it; False if it had ended before. Raises ClientError."""
        return self.job.cancel()

    def result(self, timeout: float | None = None) -> Value:
        """What was returned, as soon as it is there.

        Raises what the function raised; NotFinished after ``timeout`` seconds, ClientError.
        """
        try:
            answer = self.job.result(timeout)
        except JobFailed as failed:
            raise raised(failed) from failed
        return self._read(answer)

    def exception(self, timeout: float | None = None) -> Exception | None:
        """What the function raised, or the job failed with; None if it went well. Raises NotFinished, ClientError."""
        failed = self.job.exception(timeout)
        return raised(failed) if isinstance(failed, JobFailed) else failed

    def __repr__(self) -> str:
        return f"<Future of job {self.id}>"
