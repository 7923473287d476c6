"""The text that describes one session, and nothing but the text: no file is touched here (executor contract, sections 2 and 3).

:func:`parse` and :func:`render` are inverse. Beyond the first ZeroVM's manifest there are the sources ``fd:N`` (the N-th
descriptor handed over with the manifest) and ``fd:N@START-END`` (of a regular file there, only the bytes from START to END,
END excluded; the channel can only be read), and the optional keys ``Fuel`` (instructions), ``Pool``, ``JobId`` and ``Token``
(hexadecimal, the shared secret of the job's network).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from errno import EINVAL, EIO, ENOMEM
from itertools import zip_longest
from typing import Any

from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.sources import (
    DescriptorSource,
    NetworkSource,
    PathSource,
    Source,
    Window,
    check_name,
    parse_address,
    parse_integer,
    parse_program,
    parse_source,
)

VERSION = "20130611"
MAXIMUM_BYTES = 512 << 10
MAXIMUM_LINES = 8192
MAXIMUM_CHANNELS = 10914
MAXIMUM_MEMORY = 1 << 32
MINIMUM_MEMORY = (16 << 20) + (8 << 20) + 1
"""A stack of 16 MiB, and a heap of more than 8 MiB."""
MAXIMUM_JOB_PATH = 108
MAXIMUM_NUMBER = 2**63 - 1
NVRAM = "/dev/nvram"
SELF = "/dev/self"
STANDARD = ("/dev/stdin", "/dev/stdout", "/dev/stderr")
"""The aliases that every manifest has: the guest's descriptors 0, 1, 2."""

_FIELDS = ("source", "alias", "type", "etag", "gets", "getsize", "puts", "putsize")


@dataclass(frozen=True)
class ChannelLine:
    """One ``Channel=`` value. Limits are operations and bytes; ``line`` is where it stands, for messages only."""

    sources: tuple[Source, ...]
    alias: str
    type: int
    etag: bool
    gets: int
    get_size: int
    puts: int
    put_size: int
    line: int | None = field(default=None, compare=False)

    @property
    def readable(self) -> bool:
        """Whether its limits allow to read at all."""
        return bool(self.gets and self.get_size)

    @property
    def writable(self) -> bool:
        """Whether its limits allow to write at all."""
        return bool(self.puts and self.put_size)

    @property
    def network(self) -> bool:
        """Whether it is a stream between nodes that has yet to be connected."""
        return any(isinstance(source, NetworkSource) for source in self.sources)

    @property
    def window(self) -> Window | None:
        """The part of its file that it shows, None if all of it."""
        windows = (source.window for source in self.sources if isinstance(source, DescriptorSource))
        return next(filter(None, windows), None)

    def error(self, text: str, errno: int = 14) -> ManifestError:
        """A ManifestError that names this channel and its line."""
        return ManifestError(self.line, f"Channel {self.alias}: {text}", errno)

    def with_sources(self, *sources: Source) -> ChannelLine:
        """The same channel elsewhere."""
        return replace(self, sources=sources)

    @classmethod
    def parse(cls, text: str, line: int | None = None) -> ChannelLine:
        """Read the eight fields. Raises ManifestError."""
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != len(_FIELDS):
            raise ManifestError(line, f"Channel has {len(parts)} fields, not the {len(_FIELDS)}: {', '.join(_FIELDS)}")
        uris, alias, *numbers = parts
        if not alias or any(character.isspace() for character in alias):
            raise ManifestError(line, f"Channel: alias {alias[:80]!r} is empty or has a blank")
        try:
            sources = tuple(parse_source(uri.strip()) for uri in uris.split(";"))
            kind, etag, gets, get_size, puts, put_size = map(parse_integer, numbers)
            check_name(alias, "alias")
        except ValueError as error:
            raise ManifestError(line, f"Channel {alias[:80]}: {error}") from None
        channel = cls(sources, alias, kind, etag == 1, gets, get_size, puts, put_size, line)
        if etag not in (0, 1):
            raise channel.error(f"etag is {etag}, not 0 or 1")
        channel._check()
        return channel

    def render(self) -> str:
        """The value that :meth:`parse` reads. Raises ManifestError where no line can say it."""
        try:
            uris = ";".join(source.render() for source in self.sources)
            alias = check_name(self.alias, "alias")
        except ValueError as error:
            raise self.error(str(error)) from None
        self._check()
        return f"{uris},{alias},{self.type},{int(self.etag)},{self.gets},{self.get_size},{self.puts},{self.put_size}"

    def _check(self) -> None:
        if self.type not in range(4):
            raise self.error(f"type is {self.type}, not 0 to 3")
        for name, limit in zip(_FIELDS[4:], (self.gets, self.get_size, self.puts, self.put_size), strict=True):
            if not 0 <= limit <= MAXIMUM_NUMBER:
                raise self.error(f"{name} is {limit}, not 0 to {MAXIMUM_NUMBER}")
        if not self.readable and not self.writable:
            raise self.error("can neither be read nor written, its limits are 0", EINVAL)
        if self.readable and self.writable and (self.network or self.type in (0, 2)):
            raise self.error(
                f"type {self.type} can't be read and written both" if not self.network else "a stream has one direction"
            )
        if len(self.sources) > 1 and len({type(source) for source in self.sources} - {DescriptorSource, NetworkSource}):
            raise self.error("only network channels can have several sources")
        if self.window and (self.writable or len(self.sources) > 1):
            raise self.error("a part of a file can only be read, and is a channel's only source")


@dataclass(frozen=True)
class Manifest:
    """One session. ``timeout`` is in seconds, ``memory`` in bytes; ``channels`` in the order of the file.

    ``thaw_more``: if it is frozen, the sessions that go on from it may have more channels than it, and less memory.
    """

    program: PathSource | DescriptorSource
    timeout: int
    memory: int
    channels: tuple[ChannelLine, ...]
    memory_etag: bool = False
    name_server: tuple[str, int] | None = None
    node: int | None = None
    job: str | None = None
    thaw_more: bool = False
    etag: str | None = None
    fuel: int | None = None
    pool: str | None = None
    job_id: str | None = None
    token: bytes = b""
    program_line: int | None = field(default=None, compare=False)

    @property
    def ordered(self) -> tuple[ChannelLine, ...]:
        """The channels as the guest counts them: the standard three, then the rest by alias."""
        rank = {alias: number for number, alias in enumerate(STANDARD)}
        return tuple(sorted(self.channels, key=lambda channel: (rank.get(channel.alias, len(rank)), channel.alias)))

    def difference(self, other: Manifest) -> str:
        """Why a session frozen with this manifest can't go on with the other (executor contract, section 6); empty if it can.

        Both must have the same aliases, with the same types and limits; with ``thaw_more``, the other may have others besides.
        """
        known = {channel.alias for channel in self.channels}
        shared = (channel for channel in other.ordered if not self.thaw_more or channel.alias in known)
        for mine, others in zip_longest(self.ordered, shared):
            if mine is None or others is None or mine.alias != others.alias:
                return "channels"
            if replace(mine, sources=others.sources, etag=others.etag) != others:
                return f"channel {mine.alias}"
        return ""

    def thawed(self, other: Manifest) -> Manifest:
        """What a session frozen with this manifest goes on with, given the other: its own program, memory (or less, with
        ``thaw_more``) and lack of digests."""
        etags = {channel.alias: channel.etag for channel in self.channels}
        channels = tuple(replace(channel, etag=channel.etag and etags.get(channel.alias, True)) for channel in other.channels)
        memory = min(self.memory, other.memory) if self.thaw_more else self.memory
        memory_etag = self.memory_etag and other.memory_etag
        return replace(other, program=self.program, memory=memory, memory_etag=memory_etag, channels=channels)


def parse(text: bytes) -> Manifest:
    """Read a manifest. Raises ManifestError, whose text names line and field and whose ``errno`` is the exit code."""
    values, channels = _collect(text)
    for name, key in _KEYS.items():
        if key.needed and name not in values:
            raise ManifestError(None, f"{name} not specified")
    fields: dict[str, Any] = {}
    for name, (line, value) in values.items():
        fields.update(_KEYS[name].read(line, value))
    manifest = Manifest(channels=tuple(channels), **fields)
    _check_channels(manifest)
    _check_network(manifest, values["NameServer"][0] if "NameServer" in values else None)
    return manifest


def render(manifest: Manifest) -> bytes:
    """The text that :func:`parse` reads back as an equal manifest. Raises ManifestError where no text can say it."""
    lines = [f"Version={VERSION}", f"Program={manifest.program.render()}", f"Timeout={manifest.timeout}"]
    lines.append(f"Memory={manifest.memory},{int(manifest.memory_etag)}")
    lines += [f"Channel={channel.render()}" for channel in manifest.channels]
    if manifest.name_server is not None:
        lines.append("NameServer=udp:{}:{}".format(*manifest.name_server))
    if manifest.token:
        lines.append(f"Token={manifest.token.hex()}")
    plain = {
        "Node": manifest.node,
        "Job": manifest.job,
        "Thaw": "more" if manifest.thaw_more else None,
        "Etag": manifest.etag,
        "Fuel": manifest.fuel,
        "Pool": manifest.pool,
        "JobId": manifest.job_id,
    }
    lines += [f"{name}={value}" for name, value in plain.items() if value is not None]
    text = os.fsencode("\n".join(lines) + "\n")
    if parse(text) != manifest:  # a value with a line's end, an equals sign or blanks at its border in it
        raise ManifestError(None, "a value of this manifest can't be written in a line")
    return text


def _collect(text: bytes) -> tuple[dict[str, tuple[int, str]], list[ChannelLine]]:
    if not text:
        raise ManifestError(None, "the manifest is empty", EIO)
    if len(text) > MAXIMUM_BYTES:
        raise ManifestError(None, f"the manifest has more than {MAXIMUM_BYTES} bytes")
    values: dict[str, tuple[int, str]] = {}
    channels: list[ChannelLine] = []
    for line, key, value in _pairs(os.fsdecode(text)):
        if key == "Channel":
            channels.append(ChannelLine.parse(value, line))
        elif key in values:
            raise ManifestError(line, f"duplicate {key} keyword")
        elif key in _KEYS:
            values[key] = line, value
    return values, channels


def _pairs(text: str) -> Iterator[tuple[int, str, str]]:
    lines = text.split("\n")
    if len(lines) - (not lines[-1]) > MAXIMUM_LINES:
        raise ManifestError(None, f"the manifest has more than {MAXIMUM_LINES} lines")
    for number, line in enumerate(lines, 1):
        parts = line.split("=")
        if len(parts) == 2:
            yield number, parts[0].strip(), parts[1].strip()


def _check_channels(manifest: Manifest) -> None:
    if len(manifest.channels) > MAXIMUM_CHANNELS:
        raise ManifestError(None, f"{len(manifest.channels)} channels, the limit is {MAXIMUM_CHANNELS}")
    seen: set[str] = set()
    for channel in manifest.channels:
        if channel.alias in seen:
            raise channel.error("duplicate alias")
        seen.add(channel.alias)
    for alias in STANDARD:
        if alias not in seen:
            raise ManifestError(None, f"channel {alias} not specified")


def _check_network(manifest: Manifest, line: int | None) -> None:
    if manifest.name_server is not None and (manifest.node or 0) < 1:
        raise ManifestError(line, "NameServer needs a Node of 1 or more")
    for channel in manifest.channels:
        for source in channel.sources:
            if isinstance(source, NetworkSource) and source.node is not None and source.node == manifest.node:
                raise channel.error(f"node {manifest.node} can't be connected to itself")


@dataclass(frozen=True)
class _Key:
    """One single-valued keyword: how to read it, and into which fields."""

    reader: Callable[[str], dict[str, Any]]
    needed: bool = False

    def read(self, line: int, value: str) -> dict[str, Any]:
        try:
            fields = self.reader(value)
        except ManifestError as error:
            raise ManifestError(line, error.text, error.errno) from None
        if "program" in fields:
            fields["program_line"] = line
        return fields


def _value(name: str, parser: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(value: str) -> Any:
        try:
            return parser(value)
        except ValueError as error:
            raise ManifestError(None, f"{name}: {error}") from None

    return read


def _integer(name: str, target: str, low: int, high: int = MAXIMUM_NUMBER) -> Callable[[str], dict[str, Any]]:
    parser = _value(name, parse_integer)

    def read(value: str) -> dict[str, Any]:
        number = parser(value)
        if not low <= number <= high:
            raise ManifestError(None, f"{name}: {number} is not between {low} and {high}")
        return {target: number}

    return read


def _word(name: str, target: str, limit: int) -> Callable[[str], dict[str, Any]]:
    def read(value: str) -> dict[str, Any]:
        if not value or len(value) > limit or not value.isprintable():
            raise ManifestError(None, f"{name}: {value[:80]!r} is not a text of 1 to {limit} characters")
        return {target: value}

    return read


def _read_version(value: str) -> dict[str, Any]:
    if value != VERSION:
        raise ManifestError(None, f"Version: {value[:80]!r} is not {VERSION}")
    return {}


def _read_memory(value: str) -> dict[str, Any]:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 2 or parts[1] not in ("0", "1"):
        raise ManifestError(None, f"Memory: {value[:80]!r} is not a number of bytes, a comma, and the etag tag 0 or 1")
    size: int = _value("Memory", parse_integer)(parts[0])
    if not MINIMUM_MEMORY <= size <= MAXIMUM_MEMORY:
        raise ManifestError(None, f"Memory: {size} bytes are not between {MINIMUM_MEMORY} and {MAXIMUM_MEMORY}", ENOMEM)
    return {"memory": size, "memory_etag": parts[1] == "1"}


def _read_name_server(value: str) -> dict[str, Any]:
    protocol, *rest = value.split(":")
    if protocol != "udp" or len(rest) != 2:
        raise ManifestError(None, f"NameServer: {value[:80]!r} is not udp:address:port")
    host = _value("NameServer", parse_address)(rest[0])
    port = _integer("NameServer", "port", 1, 65535)(rest[1])["port"]
    return {"name_server": (host, port)}


def _read_thaw(value: str) -> dict[str, Any]:
    if value not in ("same", "more"):
        raise ManifestError(None, f"Thaw: {value[:80]!r} is neither same nor more")
    return {"thaw_more": value == "more"}


def _read_token(value: str) -> dict[str, Any]:
    if not value or len(value) > 128:
        raise ManifestError(None, "Token: not 1 to 64 bytes in hexadecimal")
    try:
        return {"token": bytes.fromhex(value)}
    except ValueError:
        raise ManifestError(None, "Token: not hexadecimal") from None


_KEYS = {
    "Version": _Key(_read_version, needed=True),
    "Program": _Key(lambda value: {"program": _value("Program", parse_program)(value)}, needed=True),
    "Timeout": _Key(_integer("Timeout", "timeout", 1), needed=True),
    "Memory": _Key(_read_memory, needed=True),
    "NameServer": _Key(_read_name_server),
    "Node": _Key(_integer("Node", "node", 0, 2**32 - 1)),
    "Job": _Key(_word("Job", "job", MAXIMUM_JOB_PATH)),
    "Thaw": _Key(_read_thaw),
    "Etag": _Key(_word("Etag", "etag", 1024)),
    "Fuel": _Key(_integer("Fuel", "fuel", 1)),
    "Pool": _Key(_word("Pool", "pool", 256)),
    "JobId": _Key(_word("JobId", "job_id", 256)),
    "Token": _Key(_read_token),
}
