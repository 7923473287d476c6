"""Jobs that decide what to do next: a job whose answer is a system map is followed by the job of that map.

A program writes, to a ``stdout`` of the type ``message/http`` or ``message/cgi``, a header ``X-Zerovm-Execute`` and the type
``application/json``, and as the body a system map::

    HTTP/1.1 200 OK
    Content-Type: application/json
    X-Zerovm-Execute: 1.0

    [{"name": "second", …}]

The map is run as if the client had POSTed it to its account: with the client's identity, rights and query string, and with
nothing else of what it sent. So it goes on, until a job's answer is no map; that answer is what the client gets. All other
answers pass through as they come.

A chain ends, and the map itself is the answer, before a job that would be one more than ``chain_limit``, after more than
``chain_timeout`` seconds, and with a map that is larger than ``zerovm_maxconfig``; ``X-Chain-Stopped`` says so. What the first
job leaves of the request's body is offered to the later ones.

=========================  ====================================================================================
header of the answer
=========================  ====================================================================================
``X-Chain-Total-Time``     seconds that all jobs of the chain took
``X-Chain-Jobs``           the ids of the jobs, in their order, with commas between them
``X-Chain-Stopped``        why the answer is still a map
=========================  ====================================================================================

Every later job has the id of the one before in its request, as ``X-Zerovm-Previous-Job``; its programs see it in their
environment.

Paste, right of the authentication, just left of ``proxy_query``::

    [filter:job_chain]
    use = egg:zerocloud#job_chain
    chain_timeout = 20
    chain_limit = 32
    zerovm_maxconfig = 65536
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Self

from swift.common.swob import HeaderKeyDict, wsgi_quote
from swift.common.utils import close_if_possible
from swift.common.wsgi import WSGIContext

from zerocloud.proxyquery.request import PREVIOUS

from .handover import EXECUTE, MAP_TYPE, PREVIOUS_JOB, counted, next_environ
from .settings import Settings

JOB = "X-Zerovm-Job"
TOTAL_TIME = "X-Chain-Total-Time"
JOBS = "X-Chain-Jobs"
STOPPED = "X-Chain-Stopped"
OURS = "x-chain-"

REST_VERSIONS = ("open", "api")


def environ_key(header: str) -> str:
    """Where WSGI keeps a header of the request."""
    return "HTTP_" + header.upper().replace("-", "_")


def job_account(environ: Mapping[str, Any]) -> str | None:
    """The account that a request for a job is made to, as a WSGI string; None for any other request."""
    parts = environ.get("PATH_INFO", "").split("/", 3)
    if len(parts) < 3 or parts[0] or not parts[2]:
        return None
    asked = environ_key(EXECUTE) in environ or parts[1] in REST_VERSIONS
    return str(parts[2]) if asked else None


def is_map(status: str, headers: Mapping[str, str]) -> bool:
    """Whether an answer asks for another job."""
    return status.startswith("2") and headers.get("Content-Type") == MAP_TYPE and EXECUTE in headers


class Opened:
    """A body of which the beginning has been read. Closing it closes the rest."""

    def __init__(self, pieces: list[bytes], rest: Iterator[bytes], body: Any) -> None:
        self._pieces = chain(pieces, rest)
        self._body = body

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Close the body that was opened."""
        close_if_possible(self._body)


def take(body: Any, limit: int) -> tuple[bytes | None, Any]:
    """All of a body, which is closed then; or None if it has more than ``limit`` bytes, and the body as it was."""
    pieces: list[bytes] = []
    size, rest = 0, iter(body)
    for piece in rest:
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return None, Opened(pieces, rest, body)
    close_if_possible(body)
    return b"".join(pieces), pieces


class ChainContext(WSGIContext):  # type: ignore[misc]
    """One chain, from the client's request to the answer of its last job."""

    def __init__(self, application: Any, settings: Settings, environ: dict[str, Any], account: str) -> None:
        super().__init__(application)
        self._settings = settings
        self._environ = environ
        self._account = account
        self._started = time.monotonic()
        self._jobs: list[str] = []
        self._stopped: str | None = None

    def answer(self, start_response: Any) -> Iterable[bytes]:
        """Run the chain."""
        self._environ.pop(environ_key(PREVIOUS_JOB), None)
        payload, environ = counted(self._environ), self._environ
        while True:
            body = self._app_call(environ)
            self._jobs.append(self._headers().get(JOB) or "-")
            text, body = self._map(body)
            if text is None:
                break
            environ = next_environ(self._environ, environ, wsgi_quote(self._account), text, payload)
            environ[environ_key(PREVIOUS_JOB)] = environ[PREVIOUS] = self._jobs[-1]
        start_response(self._response_status, self._told(), self._response_exc_info)
        result: Iterable[bytes] = body
        return result

    def _map(self, body: Any) -> tuple[bytes | None, Any]:
        """The map of the next job, or None and the body of the answer."""
        headers = self._headers()
        # The answer to HEAD has no body, so there is no map in it.
        if self._environ["REQUEST_METHOD"] == "HEAD" or not is_map(self._response_status, headers):
            return None, body
        self._stopped = self._reason_to_stop(headers)
        if self._stopped:
            return None, body
        text, body = take(body, self._settings.maximum_map)
        if text is None:
            self._stopped = self._too_large()
        return text, body

    def _reason_to_stop(self, headers: Mapping[str, str]) -> str | None:
        if len(self._jobs) >= self._settings.limit:
            return f"a chain has at most {self._settings.limit} jobs"
        if time.monotonic() - self._started >= self._settings.timeout:
            return f"no job begins after {self._settings.timeout:g} s"
        length = headers.get("Content-Length", "")
        return self._too_large() if length.isdigit() and int(length) > self._settings.maximum_map else None

    def _too_large(self) -> str:
        return f"a map has at most {self._settings.maximum_map} bytes"

    def _headers(self) -> Mapping[str, str]:
        headers: Mapping[str, str] = HeaderKeyDict(self._response_headers)
        return headers

    def _told(self) -> list[tuple[str, str]]:
        """The headers of the last answer, and ours. A program can't speak for the chain."""
        told = [(name, value) for name, value in self._response_headers if not name.lower().startswith(OURS)]
        told += [(TOTAL_TIME, f"{time.monotonic() - self._started:.3f}"), (JOBS, ",".join(self._jobs))]
        return [*told, (STOPPED, self._stopped)] if self._stopped else told


class JobChain:
    """The WSGI application around ``proxy_query``."""

    def __init__(self, application: Any, settings: Settings) -> None:
        self._application = application
        self._settings = settings

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Follow requests for jobs; let all others pass untouched."""
        account = job_account(environ)
        if account is None:
            passed: Iterable[bytes] = self._application(environ, start_response)
            return passed
        return ChainContext(self._application, self._settings, environ, account).answer(start_response)
