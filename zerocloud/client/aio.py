"""The library for programs with an event loop: the names of :mod:`zerocloud.client`, awaited.

    from zerocloud.client import aio

    async with aio.connect() as cloud:
        answer = await cloud.run(job_map)
        jobs = [await cloud.submit(one) for one in maps]
        answers = await asyncio.gather(*jobs)            # a job or future that is awaited gives its result
        async for event in jobs[0].events():
            print(event.name, event.data)

It is the synchronous library on threads of the loop (:func:`asyncio.to_thread`), of which there are a few more than processors.
``run``, ``map``, ``map_reduce`` and ``events`` keep one until the answer or the next event is there; what waits for jobs that
were submitted does so without. Whoever is cancelled stops waiting; the job runs on, unless it is cancelled, too.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, Generic, TypeVar

import requests

from . import connection as synchronous
from . import futures, jobs
from .errors import NotFinished
from .events import Event
from .functions import Function
from .jobs import JobStatus
from .login import Login
from .results import Answer, NodeAnswer
from .waiting import ALL_COMPLETED, Pace, Waited, Watch
from .work import Work

Value = TypeVar("Value")
Item = TypeVar("Item")


@asynccontextmanager
async def connect(login: Login | None = None) -> AsyncIterator[Connection]:
    """A connection for a login, or for who the environment says, closed at the end of the block. Raises LoginError."""
    one = await to_thread(synchronous.connect, login)
    try:
        yield Connection(one)
    finally:
        one.close()


class Connection:
    """Runs and explains jobs in one account. Every method is that of :class:`zerocloud.client.Connection`."""

    def __init__(self, inner: synchronous.Connection) -> None:
        """``inner`` does the work, and is closed by who made it."""
        self.inner = inner

    async def run(
        self,
        work: Work,
        headers: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        """Run a job and wait for its answer. Raises ClientError; JobFailed if the job fails, with its story."""
        return await to_thread(self.inner.run, work, headers, timeout=timeout, into=into)

    async def run_each(
        self, work: Work, headers: Mapping[str, str] | None = None, *, timeout: float | None = None
    ) -> tuple[NodeAnswer, ...]:
        """Run a job and wait; what each node answered by itself. Raises ClientError, JobFailed."""
        return await to_thread(self.inner.run_each, work, headers, timeout=timeout)

    async def map(
        self,
        function: Function,
        objects: str | Sequence[str],
        *,
        returns: str = "json",
        timeout: float | None = None,
        **keys: Any,
    ) -> list[Any]:
        """Call a Python function on each object; what it returned. Raises what the function raised, ClientError."""
        return await to_thread(self.inner.map, function, objects, returns=returns, timeout=timeout, **keys)

    async def submit_map(
        self,
        function: Function,
        objects: str | Sequence[str],
        *,
        returns: str = "json",
        timeout: float | None = None,
        **keys: Any,
    ) -> Future[list[Any]]:
        """As :meth:`map`, but don't wait: what it will return. Raises ClientError."""
        return Future(await to_thread(self.inner.submit_map, function, objects, returns=returns, timeout=timeout, **keys))

    async def map_reduce(
        self,
        mapper: Function,
        reducer: Function,
        objects: str | Sequence[str],
        *,
        reducers: int = 1,
        timeout: float | None = None,
    ) -> list[tuple[Any, Any]]:
        """Pairs of keys and what their values were reduced to. Raises what one of the functions raised, ClientError."""
        return await to_thread(self.inner.map_reduce, mapper, reducer, objects, reducers=reducers, timeout=timeout)

    async def submit_map_reduce(
        self,
        mapper: Function,
        reducer: Function,
        objects: str | Sequence[str],
        *,
        reducers: int = 1,
        timeout: float | None = None,
    ) -> Future[list[tuple[Any, Any]]]:
        """As :meth:`map_reduce`, but don't wait: what it will return. Raises ClientError."""
        call = self.inner.submit_map_reduce
        return Future(await to_thread(call, mapper, reducer, objects, reducers=reducers, timeout=timeout))

    async def submit(self, work: Work, headers: Mapping[str, str] | None = None, *, timeout: float | None = None) -> Job:
        """Start a job that runs by itself. Mistakes in it are told at once. Raises ClientError."""
        return Job(await to_thread(self.inner.submit, work, headers, timeout=timeout))

    async def explain(self, work: Work, form: str = "text/plain") -> str:
        """What a job would do, without running it. Raises ClientError."""
        return await to_thread(self.inner.explain, work, form)

    def job(self, job: str) -> Job:
        """A job by its id, whoever started it."""
        return Job(self.inner.job(job))

    def jobs(self, *states: str, limit: int | None = None) -> AsyncIterator[JobStatus]:
        """The account's jobs, newest first, those in the given states or all. Raises ClientError."""
        return _each(self.inner.jobs(*states, limit=limit))

    async def information(self) -> Mapping[str, Any]:
        """What the cluster tells everybody about itself. Raises ClientError."""
        return await to_thread(self.inner.information)

    async def request(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """Any request to the account. Raises ClientError."""
        return await to_thread(self.inner.request, method, path, **more)


class Future(Generic[Value]):
    """What a job will return. Awaited, it gives that, or raises what the function raised."""

    def __init__(self, inner: futures.Future[Value]) -> None:
        self.inner = inner
        self.id = inner.id

    async def done(self) -> bool:
        """Whether it has come to its end, well or not. Raises ClientError."""
        return await to_thread(self.inner.done)

    async def result(self, timeout: float | None = None) -> Value:
        """What was returned, as soon as it is there.

        Raises what the function raised; NotFinished after ``timeout`` seconds, ClientError.
        """
        await _end(self.inner, timeout)
        return await to_thread(self.inner.result)

    async def exception(self, timeout: float | None = None) -> Exception | None:
        """What :meth:`result` would raise of the job itself, or None. Raises NotFinished, ClientError."""
        await _end(self.inner, timeout)
        return await to_thread(self.inner.exception)

    async def cancel(self) -> bool:
        """End it; False if it had ended before. Raises ClientError."""
        return await to_thread(self.inner.cancel)

    def __await__(self) -> Generator[Any, None, Value]:
        return self.result().__await__()

    def __repr__(self) -> str:
        return repr(self.inner)


class Job:
    """A job of the connection's account, which runs on whether this object lives or not. Awaited, it gives its answer."""

    def __init__(self, inner: jobs.Job) -> None:
        self.inner = inner
        self.id = inner.id

    async def status(self) -> JobStatus:
        """How it stands now. Raises ClientError; Refused (404) if nothing is known of it any more."""
        return await to_thread(self.inner.status)

    async def done(self) -> bool:
        """Whether it has ended, well or not. Raises ClientError."""
        return await to_thread(self.inner.done)

    def events(self) -> AsyncIterator[Event]:
        """Its progress until it ends. Raises ClientError."""
        closed = threading.Event()
        return _each(self.inner.events(closed.is_set), closed.set)

    async def result(self, timeout: float | None = None, into: BinaryIO | None = None) -> Answer:
        """Its answer, as soon as it has ended; ``into`` gets the body, if given, piece by piece.

        Raises NotFinished after ``timeout`` seconds, JobFailed and JobCancelled, ClientError.
        """
        await _end(self.inner, timeout)
        return await to_thread(self.inner.result, None, into)

    async def exception(self, timeout: float | None = None) -> Exception | None:
        """What :meth:`result` would raise of the job itself, or None. Raises NotFinished, ClientError."""
        await _end(self.inner, timeout)
        return await to_thread(self.inner.exception)

    async def cancel(self) -> bool:
        """End it; False if it had ended before. Raises ClientError."""
        return await to_thread(self.inner.cancel)

    def __await__(self) -> Generator[Any, None, Answer]:
        return self.result().__await__()

    def __repr__(self) -> str:
        return repr(self.inner)

    def _repr_html_(self) -> str:
        return self.inner._repr_html_()


Awaited = TypeVar("Awaited", Job, Future[Any])


async def wait(these: Iterable[Awaited], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> Waited[Awaited]:
    """Wait until all jobs (or futures) have ended, or the first (that failed), or ``timeout`` seconds are over.

    One request tells of many. Raises ClientError.
    """
    known: dict[Any, Awaited] = {one.inner: one for one in these}
    watch = Watch(known, timeout)
    while not watch.enough(await to_thread(watch.look), return_when):
        await asyncio.sleep(watch.pace.pause())
    return Waited({known[one] for one in watch.done}, {known[one] for one in watch.pending})


async def as_completed(these: Iterable[Awaited], timeout: float | None = None) -> AsyncIterator[Awaited]:
    """The jobs, or futures, as they end. Raises NotFinished after ``timeout`` seconds, ClientError."""
    known: dict[Any, Awaited] = {one.inner: one for one in these}
    watch = Watch(known, timeout)
    while watch.pending:
        for one in await to_thread(watch.look):
            yield known[one]
        watch.check_time()
        if watch.pending:
            await asyncio.sleep(watch.pace.pause())


async def _end(job: jobs.Job | futures.Future[Any], timeout: float | None) -> None:
    """Wait for the end of a job. Raises NotFinished, ClientError."""
    pace = Pace(timeout)
    while not await to_thread(job.done):
        if pace.over():
            raise NotFinished(f"Job {job.id} still runs after {timeout} seconds")
        await asyncio.sleep(pace.pause())


async def _each(iterator: Iterator[Item], close: Callable[[], None] = lambda: None) -> AsyncIterator[Item]:
    """The items of an iterator that waits for them, each on a thread; ``close`` is called when no more of them are wanted."""
    end = object()
    try:
        while (item := await to_thread(next, iterator, end)) is not end:
            yield item  # type: ignore[misc]  # it is not the mark
    finally:
        close()
