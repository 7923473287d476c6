"""What is kept of a job's answer when it has ended."""

from __future__ import annotations

from typing import Any

from swift.common.swob import wsgi_to_str

from ..ended import Ended
from ..errors import JobError
from .live import End
from .states import JobState

MOST_BODY = 65536
"""Bytes of an answer's body that are kept in its record."""


UNKNOWN = End(JobState.FAILED, 500, "the proxy failed; its log has the cause")


def ending(ended: Ended, response: Any, most: int = MOST_BODY) -> End:
    """How the job ended. Reads of the body what is kept in the record, without using it up."""
    failed, cancelled = ended.failed(), ended.cancelled()
    state = JobState.FAILED if failed else JobState.CANCELLED if cancelled else JobState.SUCCEEDED
    return End(
        state=state,
        status=response.status_int,
        error=f"node {failed[0].session.name}: {failed[0].reason}" if failed else cancelled,
        headers={name: wsgi_to_str(value) for name, value in response.headers.items()},
        body=response.app_iter.beginning(most),
        body_size=response.app_iter.size,
    )


def broken_off(error: BaseException) -> End:
    """How a job ended whose run was broken off by an error."""
    if isinstance(error, JobError):
        return End(JobState.FAILED, error.status, error.text)
    return UNKNOWN
