"""What a caller can ask of the service: the text of its frames, checked. Pure.

A frame is an *admission* (``Pool=`` and ``JobId=`` lines only), a *hold* (``Hold``), a *ping* (``Ping``), a question for a
frozen guest (``Frozen NAME``), an order to compile a program ahead of need (``Compile``, or ``Compile Fuel`` for sessions whose
instructions are counted; ``Validate`` for a user's), or else a manifest (executor contract, section 2) whose program and
channels are descriptors: the service opens no paths for anyone. The one exception is ``/dev/null``, of which it has a
descriptor of its own. As the program it stands for a *daemon*: a guest that was frozen in an earlier session, under the name
that ``Job`` gives in both (executor contract, section 6).
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

from zerocloud.zerovm import manifest as manifests
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.manifest import ChannelLine, Manifest
from zerocloud.zerovm.sources import DescriptorSource, PathSource, Source

NULL_DEVICE = "/dev/null"
_ADMISSION_KEYS = frozenset(("Pool", "JobId"))
_ADMISSION_STARTS = (b"Pool", b"JobId", b"Hold", b"Ping", b"Frozen", b"Compile", b"Validate")
_JOB_ID_CHARACTERS = 256


class RequestError(ValueError):
    """A frame that makes no sense here. The text is a sentence for the caller."""


@dataclass(frozen=True)
class Hold:
    """Nothing but to keep the service alive while the connection is open."""


@dataclass(frozen=True)
class Ping:
    """Whether anybody is there."""


@dataclass(frozen=True)
class Frozen:
    """Whether a frozen guest of that name waits for sessions."""

    name: str


@dataclass(frozen=True)
class Precompile:
    """The program whose descriptor comes along is to be compiled: as the operator's own (``trusted``), or as a user's."""

    fuel: bool = False
    trusted: bool = True


@dataclass(frozen=True)
class Admission:
    """A slot of ``pool`` for a node of job ``job_id``."""

    pool: str = "default"
    job_id: str = ""


@dataclass(frozen=True)
class SessionRequest:
    """One session. ``program`` is the number of its descriptor; None for one that goes on from where a daemon was frozen.

    ``null`` says whether the service's own ``/dev/null`` is to be appended to the caller's descriptors.
    """

    manifest: Manifest
    program: int | None
    null: bool

    @property
    def daemon(self) -> str | None:
        """The daemon that the session goes on from."""
        return self.manifest.job if self.program is None else None

    @property
    def freezable(self) -> bool:
        """Whether its guest may be frozen and become a daemon."""
        return self.program is not None and self.manifest.job is not None

    @property
    def admission(self) -> Admission:
        """The admission that the manifest itself asks for, where none came before it."""
        return Admission((self.manifest.pool or "default").lower(), self.manifest.job_id or "")


def parse_first(text: bytes, descriptors: int) -> Hold | Ping | Frozen | Precompile | Admission | None:
    """What ``text``, the first frame, asks for; None where it is a manifest. Raises RequestError."""
    asked = _parse_admission(text)
    if isinstance(asked, Precompile) and descriptors != 1:
        raise RequestError(f"one program is to be compiled, {descriptors} descriptors came along")
    if asked is not None and not isinstance(asked, Precompile) and descriptors:
        raise RequestError("descriptors come with a manifest, not with an admission")
    return asked


def _parse_admission(text: bytes) -> Hold | Ping | Frozen | Precompile | Admission | None:
    if not text.lstrip().startswith(_ADMISSION_STARTS):
        return None
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    if lines == ["Hold"]:
        return Hold()
    if lines == ["Ping"]:
        return Ping()
    if len(lines) == 1 and lines[0].startswith("Frozen "):
        return Frozen(lines[0].removeprefix("Frozen ").strip())
    if lines in (["Compile"], ["Compile Fuel"]):
        return Precompile(fuel=lines != ["Compile"])
    if lines == ["Validate"]:
        return Precompile(trusted=False)
    pairs = [line.partition("=") for line in lines]
    if not pairs or not all(key.strip() in _ADMISSION_KEYS for key, _, _ in pairs):
        return None
    values = {key.strip(): value.strip() for key, _, value in pairs}
    job_id = values.get("JobId", "")
    if len(values) != len(pairs):
        raise RequestError("an admission names each of Pool and JobId at most once")
    if len(job_id) > _JOB_ID_CHARACTERS or not job_id.isprintable():
        raise RequestError(f"a job id has at most {_JOB_ID_CHARACTERS} printable characters")
    return Admission((values.get("Pool") or "default").lower(), job_id)


def parse_session(text: bytes, descriptors: int) -> SessionRequest:
    """The session that a manifest with this many descriptors asks for. Raises ManifestError."""
    manifest = manifests.parse(text)
    program = _program(manifest, descriptors)
    channels = tuple(_bound(channel, descriptors) for channel in manifest.channels)
    return SessionRequest(replace(manifest, channels=channels), program, channels != manifest.channels)


def _program(manifest: Manifest, descriptors: int) -> int | None:
    if manifest.job is not None and manifest.program == PathSource(NULL_DEVICE):
        return None
    if not isinstance(manifest.program, DescriptorSource):
        raise ManifestError(manifest.program_line, "Program: the service takes fd:N, not a path", errno.EPROTONOSUPPORT)
    if manifest.program.number >= descriptors:
        raise ManifestError(
            manifest.program_line, f"Program: fd:{manifest.program.number} of {descriptors} descriptors", errno.EBADF
        )
    return manifest.program.number


def _bound(channel: ChannelLine, descriptors: int) -> ChannelLine:
    return channel.with_sources(*(_descriptor(channel, source, descriptors) for source in channel.sources))


def _descriptor(channel: ChannelLine, source: Source, descriptors: int) -> DescriptorSource:
    if source == PathSource(NULL_DEVICE):
        return DescriptorSource(descriptors)
    if not isinstance(source, DescriptorSource):
        text = f"source {source.render()[:80]}: the service takes fd:N and {NULL_DEVICE} only"
        raise channel.error(text, errno.EPROTONOSUPPORT)
    if source.number >= descriptors:
        raise channel.error(f"fd:{source.number} of {descriptors} descriptors", errno.EBADF)
    return source
