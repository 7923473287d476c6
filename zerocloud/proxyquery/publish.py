"""Puts what a session wrote where it belongs: into Swift, or into the client's answer (HTTP API, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from swift.common.utils import Timestamp

from zerocloud.sysmap import Channel, Node, SwiftPath
from zerocloud.wire import STORY_MEMBER

from .answer import Answer, AnswerError, AnswerMember
from .errors import JobError
from .results import NodeBody, one_line
from .spool import Spool
from .subrequests import Pipeline

STDERR_TAIL = 4096
"""Bytes of a failed program's last words that are kept."""

META_PREFIX = "x-object-meta-"


class PublishError(JobError):
    """An output could not be stored; ``status`` is the pipeline's."""


@dataclass(frozen=True)
class _Put:
    """A PUT of an output, which perhaps stored it, and its time as Swift writes it."""

    path: SwiftPath
    timestamp: str


class Publisher:
    """Distributes the outputs of the sessions of one job."""

    def __init__(self, pipeline: Pipeline, spool: Spool, warn: Callable[[str], None]) -> None:
        """``warn`` is told what could not be removed again."""
        self._pipeline = pipeline
        self._spool = spool
        self._warn = warn
        self._puts: dict[int, list[_Put]] = {}

    def publish(self, session: int, node: Node, answer: Answer) -> NodeBody:
        """Store the outputs that have paths; keep the first one that has none.

        Raises PublishError if one can't be stored, or if the answer breaks off after some have been; AnswerError if it breaks
        off while nothing of it is stored.
        """
        stored: list[SwiftPath] = []
        try:
            return self._distribute(session, node, answer, stored)
        except AnswerError as error:
            if not stored:
                raise
            raise PublishError(503, f"{error}; {len(stored)} outputs had been stored") from error

    def withdraw(self, session: int) -> None:
        """Remove what a session stored. What somebody has overwritten since is theirs, and stays."""
        for put in self._puts.pop(session, ()):
            at = Timestamp(put.timestamp, delta=1).internal  # Swift ignores it where there is something later
            status = self._pipeline.delete(put.path, {"X-Timestamp": at})
            if not 200 <= status < 300 and status not in (404, 409):
                self._warn(f"{put.path.path} of a failed job could not be removed: status {status}")

    def withdraw_all(self) -> None:
        """Remove what all sessions stored."""
        for session in list(self._puts):
            self.withdraw(session)

    def _distribute(self, session: int, node: Node, answer: Answer, stored: list[SwiftPath]) -> NodeBody:
        """Does it, and notes in ``stored`` what has been."""
        channels = {channel.device: channel for channel in node.channels}
        body = NodeBody(self._spool.segment())
        for member in answer.members():
            if member.device == STORY_MEMBER:
                continue
            if member.device not in channels:
                raise PublishError(502, f"Channel name {member.device} not found")
            channel = channels[member.device]
            if isinstance(channel.path, SwiftPath):
                put = _Put(channel.path, Timestamp.now().internal)
                self._puts.setdefault(session, []).append(put)
                self._store(channel, put, member)
                stored.append(channel.path)
            else:
                body = self._keep(body, member)
        return body

    def salvage(self, node: Node, answer: Answer) -> tuple[NodeBody, bytes]:
        """What a failed session answered, and the end of what it wrote to stderr; nothing is stored. Raises AnswerError."""
        immediate = {channel.device for channel in node.channels if not isinstance(channel.path, SwiftPath)}
        body = NodeBody(self._spool.segment())
        last_words = b""
        for member in answer.members():
            tells = member.device in ("stderr", STORY_MEMBER)
            if member.device in immediate and not body.delivered:
                body = self._keep(body, member)
                if tells:
                    last_words = b"".join(body.content.chunks(max(0, body.content.size - STDERR_TAIL)))
            elif tells:
                last_words = _tail(member)
        return body, last_words

    def _keep(self, body: NodeBody, member: AnswerMember) -> NodeBody:
        if body.delivered:
            return body
        body = NodeBody(body.content, member.headers, delivered=True)
        for piece in member.chunks:
            body.content.append(piece)
        return body

    def _store(self, channel: Channel, put: _Put, member: AnswerMember) -> None:
        content = _Remembering(member.chunks)
        headers = {**output_headers(channel, member.headers), "X-Timestamp": put.timestamp}
        status, text = self._pipeline.put(put.path, headers, content, member.size)
        if content.error is not None:
            raise content.error
        if not 200 <= status < 300:
            detail = f": {text.strip()}" if status == 400 and text.strip() else ""
            raise PublishError(status, f"Status {status} when putting {put.path.path}{detail}")


class _Remembering:
    """An answer's bytes. Remembers why they broke off, which the pipeline does not tell."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.error: AnswerError | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except AnswerError as error:
            self.error = error
            raise


def output_headers(channel: Channel, records: Mapping[str, str]) -> dict[str, str]:
    """The headers of an object to be written: its map's type and metadata, below what the program itself said."""
    meta = {f"{META_PREFIX}{key}".lower(): value for key, value in channel.meta.items()}
    found = {name.lower(): value for name, value in records.items()}
    meta |= {name: value for name, value in found.items() if name.startswith(META_PREFIX)}
    content_type = found.get("content-type") or channel.content_type or "application/octet-stream"
    return {"Content-Type": one_line(content_type), **{name.title(): one_line(value) for name, value in meta.items()}}


def _tail(member: AnswerMember) -> bytes:
    tail = b""
    for piece in member.chunks:
        tail = (tail + piece)[-STDERR_TAIL:]
    return tail


__all__ = ["Publisher", "PublishError", "output_headers", "STDERR_TAIL"]
