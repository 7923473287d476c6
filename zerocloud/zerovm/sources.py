"""What stands at the outer end of a channel: the sources a manifest can name (executor contract, section 3)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,22}|[1-9][0-9]{0,19})\Z")
# What would end a field, a list of sources, a line or a path. All else below 33 would vanish at a field's border.
_FORBIDDEN = re.compile(r"[,;=\x00-\x1f\x7f]")
_HIGHEST_NODE = 2**32 - 1
_HIGHEST_DESCRIPTOR = 2**31 - 1
_HIGHEST_OFFSET = 2**63 - 1


def parse_integer(text: str) -> int:
    """A decimal, octal (``0``…) or hexadecimal (``0x``…) number of at most 64 bits, as C reads it. Raises ValueError."""
    if not _INTEGER.match(text):
        raise ValueError(f"{text[:40]!r} is not a number")
    digits = text.lstrip("+-")
    base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") else 10
    number = int(digits, base)
    return -number if text.startswith("-") else number


def check_name(text: str, what: str) -> str:
    """A path or alias that survives being written into a manifest line. Raises ValueError."""
    if not text or text != text.strip() or _FORBIDDEN.search(text):
        raise ValueError(f"{what} {text[:80]!r} has a character that no manifest line can hold")
    return text


@dataclass(frozen=True)
class PathSource:
    """A file, character device or FIFO of this host, by its path."""

    path: str

    def render(self) -> str:
        """As the manifest writes it. Raises ValueError."""
        return check_name(self.path, "path")


@dataclass(frozen=True)
class NetworkSource:
    """A TCP stream: ``host`` is an IPv4 address or a node id in decimal; port 0 is bound anew, or asked of the name server."""

    host: str
    port: int = 0

    @property
    def node(self) -> int | None:
        """The peer's id, or None where an address is given."""
        return None if "." in self.host else int(self.host)

    def render(self) -> str:
        """As the manifest writes it."""
        return f"tcp:{self.host}:{self.port}"


@dataclass(frozen=True)
class Window:
    """The part of a file that a channel shows: its bytes from ``start`` to ``end``, which is not one of them."""

    start: int
    end: int


@dataclass(frozen=True)
class DescriptorSource:
    """The descriptor with this index among those handed over with the manifest, counted from 0.

    With a ``window`` it is a regular file of which the channel shows that part only, as if there were nothing else.
    """

    number: int
    window: Window | None = None

    def render(self) -> str:
        """As the manifest writes it."""
        return f"fd:{self.number}" + (f"@{self.window.start}-{self.window.end}" if self.window else "")


@dataclass(frozen=True)
class OpaqueSource:
    """A stream of the broker transport, which this executor does not speak."""

    text: str

    def render(self) -> str:
        """As the manifest writes it. Raises ValueError."""
        return f"opaque:{check_name(self.text, 'broker address')}"


Source = PathSource | NetworkSource | DescriptorSource | OpaqueSource


def parse_source(text: str) -> Source:
    """One URI of a channel line. Raises ValueError, whose text names it."""
    if text.startswith("/"):
        return PathSource(check_name(text, "path"))
    scheme, separator, rest = text.partition(":")
    if separator and scheme == "tcp":
        return _parse_network(text, rest)
    if separator and scheme == "fd":
        return _parse_descriptor(text, rest)
    if separator and scheme == "opaque":
        return OpaqueSource(check_name(rest, "broker address"))
    raise ValueError(f"source {text[:80]!r} is neither an absolute path nor tcp:, fd: or opaque:")


def parse_program(text: str) -> PathSource | DescriptorSource:
    """The value of ``Program``: ``fd:N`` or a path, which may be relative. Raises ValueError."""
    if text.startswith("fd:"):
        return DescriptorSource(_bounded(text[3:], 0, _HIGHEST_DESCRIPTOR, text))
    return PathSource(check_name(text, "path"))


def parse_address(text: str) -> str:
    """A dotted IPv4 address. Raises ValueError."""
    return str(ipaddress.IPv4Address(text))


def _parse_descriptor(text: str, rest: str) -> DescriptorSource:
    number, at, window = rest.partition("@")
    source = DescriptorSource(_bounded(number, 0, _HIGHEST_DESCRIPTOR, text))
    if not at:
        return source
    start, _, end = window.partition("-")
    first = _bounded(start, 0, _HIGHEST_OFFSET, text)
    return replace(source, window=Window(first, _bounded(end, first, _HIGHEST_OFFSET, text)))


def _parse_network(text: str, rest: str) -> NetworkSource:
    host, _, port = rest.partition(":")
    number = _bounded(port, 0, 65535, text) if port else 0
    host = parse_address(host) if "." in host else str(_bounded(host, 1, _HIGHEST_NODE, text))
    return NetworkSource(host, number)


def _bounded(text: str, low: int, high: int, whole: str) -> int:
    number = parse_integer(text)
    if not low <= number <= high:
        raise ValueError(f"{whole[:80]!r}: {number} is not between {low} and {high}")
    return number
