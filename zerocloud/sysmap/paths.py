"""The URLs of a system map, as values. Source: system map, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from .wildcards import Glob


@dataclass(frozen=True, slots=True)
class SwiftPath:
    """``swift://account[/container[/object]]``, percent-decoded, account shorthands resolved."""

    account: str
    container: str = ""
    object: str = ""

    @property
    def path(self) -> str:
        """``/account[/container[/object]]``: the unquoted path that rings and disk files know."""
        return "/" + "/".join(part for part in (self.account, self.container, self.object) if part)

    @property
    def url(self) -> str:
        """The URL as messages show it, unquoted."""
        return f"swift:/{self.path}"

    @property
    def quoted(self) -> str:
        """The URL as it stands in a system map: percent-encoded, so that reading it gives this path again."""
        return f"swift:/{quote(self.path)}"


@dataclass(frozen=True, slots=True)
class SwiftPattern:
    """A ``swift://`` URL with wildcards in its container, its object or both."""

    account: str
    container: Glob
    object: Glob | None = None

    @property
    def url(self) -> str:
        """The URL as messages show it, unquoted."""
        return f"swift://{self.account}/{self.container.text}" + (f"/{self.object.text}" if self.object else "")

    @property
    def stars(self) -> int:
        """How many ``*`` it has."""
        return self.container.stars + (self.object.stars if self.object else 0)

    def fill(self, captures: Sequence[str]) -> SwiftPath:
        """The path with its ``*`` replaced from left to right. Raises TooFewCaptures."""
        container = self.container.fill(captures)
        rest = captures[self.container.stars :]
        return SwiftPath(self.account, container, self.object.fill(rest) if self.object else "")


@dataclass(frozen=True, slots=True)
class ImagePath:
    """``file://image:path``: a file of a tar image; without an image's name, of the job's own image."""

    image: str
    path: str

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"file://{self.image}:{self.path}"

    @property
    def quoted(self) -> str:
        """The URL as it stands in a system map."""
        return f"file://{quote(self.image)}:{quote(self.path)}"


@dataclass(frozen=True, slots=True)
class PeerPath:
    """``zvm://host:device``: a device of another node; becomes a connection. ``device`` begins with ``/dev/``."""

    host: str
    device: Glob

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"zvm://{self.host}:{self.device.text}"


@dataclass(frozen=True, slots=True)
class NetworkPath:
    """``tcp://host:port`` or ``udp://host:port``: only for the ``debug`` device."""

    scheme: str
    address: str

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"{self.scheme}://{self.address}"

    @property
    def quoted(self) -> str:
        """The URL as it stands in a system map."""
        return self.url


Path = SwiftPath | ImagePath | NetworkPath
Location = Path | SwiftPattern | PeerPath
"""All that a device's ``path`` may say."""
