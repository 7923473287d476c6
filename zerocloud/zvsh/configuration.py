"""The files ``zvsh.cfg``: limits of sessions, and images that are always there.

::

    [manifest]                 [limits]             [env]              [fstab]
    Memory = 4294967296        reads = 4294967296   HOME = /           /images/python.tar = / ro
    Timeout = 50               rbytes = 4294967296
    Node = 1                   writes = 4294967296
    Version = 20130611         wbytes = 4294967296

Read in this order, later files override: ``/etc/zvsh.cfg``, ``~/.zvsh.cfg``, ``zvsh.cfg``. Keys of ``[env]`` and ``[fstab]``
keep their case.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zerocloud.zerovm.sources import parse_integer

FILES = ("/etc/zvsh.cfg", "~/.zvsh.cfg", "zvsh.cfg")
ACCESSES = ("ro", "wo")
_UNLIMITED = 1 << 32


class ConfigurationError(ValueError):
    """A file or option that can't be used. The text names it."""


@dataclass(frozen=True)
class Image:
    """A tar archive of this host, where the guest sees it, and whether it is read (``ro``) or left behind (``wo``)."""

    path: str
    mountpoint: str = "/"
    access: str = "ro"

    @classmethod
    def parse(cls, text: str) -> Image:
        """Read ``PATH[,MOUNTPOINT[,ACCESS]]``. Raises ConfigurationError."""
        path, *rest = text.split(",")
        if not path or len(rest) > 2:
            raise ConfigurationError(f"image {text!r} is not PATH, PATH,MOUNTPOINT or PATH,MOUNTPOINT,ACCESS")
        return cls(path, *rest).checked()

    def checked(self) -> Image:
        """Itself, if it can be mounted so. Raises ConfigurationError."""
        if self.access not in ACCESSES:
            raise ConfigurationError(f"image {self.path}: access {self.access!r} is neither ro nor wo")
        if not self.mountpoint.startswith("/"):
            raise ConfigurationError(f"image {self.path}: mountpoint {self.mountpoint!r} is not an absolute path")
        return self


@dataclass(frozen=True)
class Limits:
    """Of every channel: operations and bytes."""

    reads: int = _UNLIMITED
    rbytes: int = _UNLIMITED
    writes: int = _UNLIMITED
    wbytes: int = _UNLIMITED


@dataclass(frozen=True)
class Configuration:
    """What the files say. ``memory`` is in bytes, ``timeout`` in seconds."""

    memory: int = 1 << 32
    timeout: int = 50
    node: int = 1
    limits: Limits = Limits()
    env: Mapping[str, str] = field(default_factory=dict)
    images: tuple[Image, ...] = ()


def read_configuration(files: Sequence[str] = FILES) -> Configuration:
    """Read those of the files that are there. Raises ConfigurationError."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read([os.path.expanduser(file) for file in files])
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"zvsh.cfg: {' '.join(str(error).split())}") from error
    manifest, limits = _section(parser, "manifest"), _section(parser, "limits")
    return Configuration(
        memory=_number("manifest", manifest, "Memory", Configuration.memory),
        timeout=_number("manifest", manifest, "Timeout", Configuration.timeout),
        node=_number("manifest", manifest, "Node", Configuration.node),
        limits=Limits(**{name: _number("limits", limits, name, _UNLIMITED) for name in Limits.__dataclass_fields__}),
        env=_section(parser, "env"),
        images=tuple(_image(path, value) for path, value in _section(parser, "fstab").items()),
    )


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, str]:
    return dict(parser[name]) if parser.has_section(name) else {}


def _number(section: str, values: Mapping[str, str], key: str, default: int) -> int:
    try:
        number = parse_integer(values[key]) if key in values else default
    except ValueError as error:
        raise ConfigurationError(f"zvsh.cfg: [{section}] {key}: {error}") from None
    if number < 1:
        raise ConfigurationError(f"zvsh.cfg: [{section}] {key}: {number} is less than 1")
    return number


def _image(path: str, value: str) -> Image:
    words = value.split()
    if len(words) > 2:
        raise ConfigurationError(f"zvsh.cfg: [fstab] {path}: {value!r} is not a mountpoint and an access")
    return Image(path, *words).checked()
