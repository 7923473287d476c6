"""What of a session's outputs goes into the answer, in which order, with which headers (executing server, sections 6, 10)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zerocloud import wire
from zerocloud.objectquery.messages import MOST_HEAD, MessageError, is_message, parse
from zerocloud.objectquery.outputs import Output
from zerocloud.wire import ChannelDescription

MOST_STORY = 65536


@dataclass(frozen=True)
class Written:
    """A writable device and the file behind it, after the session."""

    channel: ChannelDescription
    file: io.FileIO


def collect(written: Sequence[Written], warn: Callable[[str], None]) -> tuple[Output, ...]:
    """The outputs that are to be sent: those with a path first, the last described of them at the front; then the others.

    One with fewer bytes than its ``min_size`` is left out. ``warn`` is told of outputs whose own headers can't be read; they
    are sent as they are.
    """
    found = [(one.channel, _output(one, warn)) for one in written]
    kept = [(channel, output) for channel, output in found if output.size >= channel.min_size]
    stored = [output for channel, output in kept if channel.path is not None]
    return (*reversed(stored), *(output for channel, output in kept if channel.path is None))


def story(errors: io.FileIO) -> Output | None:
    """The end of what a failed program said on a standard error that its node does not describe; None if it said nothing."""
    size = os.fstat(errors.fileno()).st_size
    start = max(0, size - MOST_STORY)
    return Output(wire.STORY_MEMBER, errors, start, size - start, {"Content-Type": "text/plain"}) if size else None


def _output(one: Written, warn: Callable[[str], None]) -> Output:
    channel, size = one.channel, os.fstat(one.file.fileno()).st_size
    headers = {"Content-Type": channel.content_type} if channel.content_type else {}
    if channel.content_type and is_message(channel.content_type):
        try:
            message = parse(channel.content_type, os.pread(one.file.fileno(), MOST_HEAD, 0))
        except MessageError as error:
            warn(f"device {channel.device}: its output is not {channel.content_type}: {error}")
        else:
            length = size - message.start
            return Output(channel.device, one.file, message.start, length, {**headers, **message.headers})
    return Output(channel.device, one.file, 0, size, headers)
