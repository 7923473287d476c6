"""The URLs of a system map, as values. Source: doc/system-map.md, "Paths"."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class ImagePath:
    """``file://image:path``: a file of a tar image; without an image's name, of the job's own image."""

    image: str
    path: str

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"file://{self.image}:{self.path}"


@dataclass(frozen=True)
class PeerPath:
    """``zvm://host:device``: a device of another node; becomes a connection."""

    host: str
    device: str

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"zvm://{self.host}:{self.device}"


@dataclass(frozen=True)
class NetworkPath:
    """``tcp://host:port`` or ``udp://host:port``: only for the ``debug`` device."""

    scheme: str
    address: str

    @property
    def url(self) -> str:
        """The URL as messages show it."""
        return f"{self.scheme}://{self.address}"


Path = SwiftPath | ImagePath | PeerPath | NetworkPath
