"""From a command line to what the session is given: channels, arguments, environment, mounts. Pure, but for asking what files
are.

``@file`` among the arguments is a file of this host, which the guest sees as a device; ``@NAME=value`` sets an environment
variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from zerocloud.zerovm.manifest import NVRAM, SELF, STANDARD, ChannelLine, Manifest
from zerocloud.zerovm.sources import PathSource
from zerocloud.zrt.nvram import Filesystem, Nvram
from zerocloud.zvsh.configuration import Configuration, ConfigurationError, Image, Limits

DEBUG = "/dev/debug"
_VARIABLE = re.compile(r"@([_A-Z0-9]+)=(.*)", re.DOTALL)
_UNSAFE = re.compile(r"[^A-Za-z0-9._+@-]")
_STREAM, _RANDOM = 0, 3


@dataclass(frozen=True)
class HostFile:
    """A file of this host as a channel of the guest."""

    alias: str
    path: str
    readable: bool = True
    writable: bool = False
    type: int = _RANDOM

    def line(self, limits: Limits, source: str) -> ChannelLine:
        """Its channel, with the file at ``source``."""
        gets = (limits.reads, limits.rbytes) if self.readable else (0, 0)
        puts = (limits.writes, limits.wbytes) if self.writable else (0, 0)
        return ChannelLine((PathSource(source),), self.alias, self.type, False, *gets, *puts)


@dataclass(frozen=True)
class Invocation:
    """What a command line asks for. ``terminals`` are the standard streams that are terminals of this host."""

    arguments: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: tuple[HostFile, ...] = ()
    mounts: tuple[Filesystem, ...] = ()
    terminals: frozenset[str] = frozenset()
    verbosity: int | None = None

    def nvram(self) -> Nvram:
        """The guest's configuration."""
        modes = {alias: "char" if alias in self.terminals else "file" for alias in STANDARD}
        modes |= {file.alias: "file" for file in self.files if file.type == _RANDOM}
        return Nvram(
            mounts=self.mounts,
            args=tuple(map(os.fsencode, self.arguments)),
            env={os.fsencode(name): os.fsencode(value) for name, value in self.env.items()},
            mapping=modes,
            debug=self.verbosity,
        )

    def manifest(self, configuration: Configuration, program: str, sources: Mapping[str, str]) -> Manifest:
        """The session, with the program and the channels' sources where they are on this host."""
        standard = (
            HostFile(STANDARD[0], "", type=_STREAM),
            HostFile(STANDARD[1], "", readable=False, writable=True, type=_STREAM),
            HostFile(STANDARD[2], "", readable=False, writable=True, type=_STREAM),
            HostFile(NVRAM, ""),
            HostFile(SELF, ""),
        )
        lines = [file.line(configuration.limits, sources[file.alias]) for file in (*standard, *self.files)]
        return Manifest(PathSource(program), configuration.timeout, configuration.memory, tuple(lines), node=configuration.node)


def read_invocation(
    command: str,
    arguments: Sequence[str],
    images: Sequence[Image],
    configuration: Configuration,
    is_writable: Callable[[str], bool],
) -> Invocation:
    """Understand the words of a command line. Raises ConfigurationError."""
    devices = _Devices(is_writable)
    mounts = tuple(devices.mount(image) for image in images)
    env = dict(configuration.env)
    words = [os.path.basename(command)]
    for word in arguments:
        variable = _VARIABLE.fullmatch(word)
        if variable:
            env[variable[1]] = variable[2]
        elif word.startswith("@") and len(word) > 1:
            words.append(devices.file(word[1:]))
        else:
            words.append(word)
    return Invocation(tuple(words), env, tuple(devices.found.values()), mounts)


class _Devices:
    """Names for files and images, counted together from 1; each file has one however often it is named."""

    def __init__(self, is_writable: Callable[[str], bool]) -> None:
        self._is_writable = is_writable
        self.found: dict[tuple[str, str], HostFile] = {}

    def file(self, path: str) -> str:
        return self._device(path, "file", lambda alias: HostFile(alias, path, True, self._is_writable(path)))

    def mount(self, image: Image) -> Filesystem:
        read = image.access == "ro"
        kind = _RANDOM if read else _STREAM
        alias = self._device(image.path, image.access, lambda alias: HostFile(alias, image.path, read, not read, kind))
        return Filesystem(alias, image.mountpoint, image.access)

    def _device(self, path: str, use: str, make: Callable[[str], HostFile]) -> str:
        key = (os.path.abspath(path), use)
        if key not in self.found:
            name = _UNSAFE.sub("_", os.path.basename(path.rstrip("/")))
            if not name:
                raise ConfigurationError(f"{path!r} is not the name of a file")
            self.found[key] = make(f"/dev/{len(self.found) + 1}.{name}")
        return self.found[key].alias
