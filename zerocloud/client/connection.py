"""One signed-in user's way to a ZeroCloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO, Self
from urllib.parse import urlencode, urlsplit

import requests

from .errors import ClientError, JobCancelled, JobFailed, NotReachable, Refused
from .functions import Function, map_reduce_work, map_work
from .futures import Future
from .jobs import Job, JobStatus
from .login import Login, log_in
from .raised import raised
from .reasons import root_reason
from .results import Answer, NodeAnswer, node_answers
from .returns import Form, form, loaded
from .work import JSON, Work, prepared

CONNECT_SECONDS = 10
CHUNK = 1 << 16
PAGE = 1000
UNAUTHORIZED, CANCELLED = 401, 409
HTML = "text/html"
MEANINGS = {401: ": the token is wrong, or has expired; sign in again", 403: ": this user has no right to {path}"}
JOB = "X-Zerovm-Job"
RAN = "X-Nexe-System"
"""A header that only the answers of jobs that were run have."""


class Connection:
    """Runs and explains jobs in one account. Use it as a context manager, or close it."""

    def __init__(self, login: Login, session: requests.Session | None = None, renew: Callable[[], Login] | None = None) -> None:
        """``session`` is the transport: tests may mount an adapter of their own there. ``renew`` signs in again when the
        token has expired."""
        self.login = login
        self._session = session or requests.Session()
        self._renew = renew

    def run(
        self,
        work: Work,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        """Run a job and wait for its answer; ``into`` gets the body, if given, piece by piece.

        ``timeout`` is how many seconds the job may take. Raises ClientError; JobFailed if the job fails, with its story.
        """
        response = self._post(work, "1.0", {**_timeout(timeout), **(headers or {})}, stream=into is not None)
        body = self.body(response, into)
        return Answer(response.headers.get(JOB, ""), response.status_code, dict(response.headers), body)

    def run_each(
        self, work: Work, headers: Mapping[str, str] | None = None, *, timeout: float | None = None
    ) -> tuple[NodeAnswer, ...]:
        """Run a job and wait; what each node answered by itself, in their order. All of it is held in memory.

        Raises ClientError; JobFailed if the job fails, with its story.
        """
        response = self._post(work, "1.0", {"Accept": JSON, **_timeout(timeout), **(headers or {})})
        try:
            return node_answers(response.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotReachable(f"{self.login.storage_url} does not answer node by node: {error}") from error

    def map(
        self,
        function: Function,
        objects: str | Sequence[str],
        *,
        returns: str = "json",
        timeout: float | None = None,
        **keys: Any,
    ) -> list[Any]:
        """Call a Python function on each object, where it lies; what it returned, in the order of the objects.

        It gets the object as a binary file, and returns what JSON can say; with ``returns="pickle"`` what can be pickled, with
        ``"frame"`` a data frame. ``objects`` is a URL, with wildcards or not, or a list of them; ``keys`` are more keys of the
        group, such as ``retries``. Raises what the function raised, with its traceback; ClientError.
        """
        how = form(returns)
        return _map_values(self._call(map_work(function, objects, how, keys), timeout), how)

    def submit_map(
        self,
        function: Function,
        objects: str | Sequence[str],
        *,
        returns: str = "json",
        timeout: float | None = None,
        **keys: Any,
    ) -> Future[list[Any]]:
        """As :meth:`map`, but don't wait: what it will return. Mistakes are told at once. Raises ClientError."""
        how = form(returns)
        job = self.submit(map_work(function, objects, how, keys), timeout=timeout)
        return Future(job, lambda answer: _map_values(answer, how))

    def map_reduce(
        self,
        mapper: Function,
        reducer: Function,
        objects: str | Sequence[str],
        *,
        reducers: int = 1,
        timeout: float | None = None,
    ) -> list[tuple[Any, Any]]:
        """Map each object, a binary file, to pairs of a key and a value; reduce a key and the list of its values to one.

        Pairs of the keys and what they were reduced to. Keys and values are what JSON can say. Raises what one of the functions
        raised, with its traceback; ClientError.
        """
        return _pairs(self._call(map_reduce_work(mapper, reducer, objects, reducers), timeout))

    def submit_map_reduce(
        self,
        mapper: Function,
        reducer: Function,
        objects: str | Sequence[str],
        *,
        reducers: int = 1,
        timeout: float | None = None,
    ) -> Future[list[tuple[Any, Any]]]:
        """As :meth:`map_reduce`, but don't wait: what it will return. Mistakes are told at once. Raises ClientError."""
        job = self.submit(map_reduce_work(mapper, reducer, objects, reducers), timeout=timeout)
        return Future(job, _pairs)

    def submit(self, work: Work, headers: Mapping[str, str] | None = None, *, timeout: float | None = None) -> Job:
        """Start a job that runs by itself. Mistakes in it are told at once. Raises ClientError."""
        named = {"X-Zerovm-Deferred": "always", **_timeout(timeout), **(headers or {})}
        response = self._post(work, "1.0", named)
        return Job(self, response.headers.get(JOB, ""), response.text.strip())

    def explain(self, work: Work, form: str = "text/plain") -> str:
        """What a job would do, without running it: ``form`` is a media type (HTTP API, section 18). Raises ClientError."""
        return self._post(work, "explain/1.0", {"Accept": f"{form}, {JSON};q=0.1"}).text

    def job(self, job: str) -> Job:
        """A job by its id, whoever started it."""
        return Job(self, job)

    def jobs(self, *states: str, limit: int | None = None) -> Iterator[JobStatus]:
        """The account's jobs, newest first, those in the given states or all. Raises ClientError."""
        return islice(self._all_jobs(states, min(limit or PAGE, PAGE)), limit)

    def information(self) -> Mapping[str, Any]:
        """What the cluster tells everybody about itself: versions and limits, those of ZeroCloud under ``zerocloud``.

        Raises ClientError.
        """
        parts = urlsplit(self.login.storage_url)
        response = self._send("GET", f"{parts.scheme}://{parts.netloc}/info", {"timeout": CONNECT_SECONDS})
        try:
            value: Mapping[str, Any] = response.json()
        except requests.JSONDecodeError as error:
            raise NotReachable(f"{response.url} is no information of a Swift") from error
        return value

    def request(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """Any request to the account; ``path`` is quoted and begins with ``/`` or ``?``. Raises ClientError."""
        more.setdefault("timeout", (CONNECT_SECONDS, None))
        token = self.login.token
        response = self._send(method, self.login.storage_url + path, more)
        if response.status_code == UNAUTHORIZED and self._renew and isinstance(more.get("data", b""), bytes):
            response.close()
            self.login = self._renew()
            if self.login.token != token:
                response = self._send(method, self.login.storage_url + path, more)
        if response.status_code >= 400:
            with closing(response):
                raise _refusal(response)
        return response

    def body(self, response: requests.Response, into: BinaryIO | None = None) -> bytes:
        """The body of a response; nothing if ``into`` gets it. Raises NotReachable."""
        try:
            if into is None:
                return response.content
            with closing(response):
                for piece in response.iter_content(CHUNK):
                    into.write(piece)
            return b""
        except requests.RequestException as error:
            raise NotReachable(f"The answer broke off: {error}") from error

    def lines(self, response: requests.Response) -> Iterator[str]:
        """The lines of a streamed answer, as they come. Raises NotReachable."""
        try:
            with closing(response):
                for line in response.iter_lines(chunk_size=1):
                    yield line.decode("utf-8", "replace")
        except requests.RequestException as error:
            raise NotReachable(f"The answer broke off: {error}") from error

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, work: Work, execute: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
        with prepared(work) as ready:
            named = {"X-Zerovm-Execute": execute, **ready.headers, **headers}
            return self.request("POST", data=ready.body, headers=named, **more)

    def _call(self, work: Work, timeout: float | None) -> Answer:
        """The answer of a job that calls functions. Raises what they raised, ClientError."""
        try:
            return self.run(work, timeout=timeout)
        except JobFailed as failed:
            raise raised(failed) from failed

    def _send(self, method: str, url: str, more: Mapping[str, Any]) -> requests.Response:
        # A program's answer may be a redirection, which must not carry the token away.
        named = {**more, "headers": {"X-Auth-Token": self.login.token, **more.get("headers", {})}, "allow_redirects": False}
        try:
            return self._session.request(method, url, **named)
        except requests.RequestException as error:
            raise NotReachable(f"{url} does not answer: {root_reason(error)}") from error

    def _all_jobs(self, states: tuple[str, ...], page: int) -> Iterator[JobStatus]:
        query = {"zerovm": "jobs", "limit": str(page), **({"state": ",".join(states)} if states else {})}
        while True:
            told = self.request("GET", f"?{urlencode(query)}").json()
            yield from map(JobStatus, told["jobs"])
            if not told.get("next"):
                return
            query["marker"] = told["next"]


def connect(login: Login | None = None) -> Connection:
    """A connection for a login, or for who the environment says. The latter signs in again when its token has expired.

    Raises LoginError.
    """
    return Connection(login) if login else Connection(log_in(), renew=log_in)


def _map_values(answer: Answer, how: Form) -> list[Any]:
    return [loaded(line, how, f"map-{number}") for number, line in enumerate(answer.body.splitlines(), 1)]


def _pairs(answer: Answer) -> list[tuple[Any, Any]]:
    how = form("json")
    return [(key, value) for key, value in (loaded(line, how, "reduce") for line in answer.body.splitlines())]


def _timeout(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"X-Zerovm-Timeout": f"{seconds:g}"}


def _refusal(response: requests.Response) -> ClientError:
    """What an error says, whether it was told as text, as JSON, or node by node."""
    value, headers = _json_object(response), response.headers
    if value is not None and "nodes" in value:
        story = str(value.get("error", "")).encode("utf-8", "replace")
        return _failure(Answer(str(value.get("job", "")), response.status_code, dict(headers), story))
    if RAN in headers:
        return _failure(Answer(headers.get(JOB, ""), response.status_code, dict(headers), response.content))
    if value is not None:
        return Refused(response.status_code, str(value.get("error", "")), value.get("problems", ()))
    return Refused(response.status_code, _sentence(response))


def _sentence(response: requests.Response) -> str:
    """An error's text; Swift's own errors are pages for browsers, which tell less than their status."""
    if not response.headers.get("Content-Type", "").startswith(HTML):
        return response.text
    status, path = response.status_code, urlsplit(response.url).path
    return f"{status} {response.reason or ''}".strip() + MEANINGS.get(status, f": {path}").format(path=path)


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    if not response.headers.get("Content-Type", "").startswith(JSON):
        return None
    try:
        value = response.json()
    except requests.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _failure(answer: Answer) -> JobFailed:
    return JobCancelled(answer) if answer.status == CANCELLED else JobFailed(answer)
