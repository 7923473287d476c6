"""What passes between the proxy filter and the storage servers' filter: header names, tar members, the node's description.

The one module that both sides share (executing server, sections 1, 2, 4 and 10). Everything that arrives is checked here, so
that neither side trusts the other's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import simplejson

# Request headers, proxy to storage server.
EXECUTE = "X-Zerovm-Execute"
VALIDATE = "validate/1.0"  # its value where the program that comes along is to be validated and compiled, and not run
JOB_ID = "X-Zerocloud-Id"
ACCESS = "X-Zerovm-Access"
POOL = "X-Zerovm-Pool"
TIMEOUT = "X-Zerovm-Timeout"
PATIENCE = "X-Zerovm-Patience"  # seconds that the request may wait in its pool's queue, as a decimal
VALID = "X-Zerovm-Valid"
DAEMON = "X-Zerovm-Daemon"
POLICY_INDEX = "X-Backend-Storage-Policy-Index"

# With a request: the SHA-256 (hexadecimal) of the program that its body should hold, where the proxy knows it. The same header
# comes with 100 Continue if the server has that program; the member ``boot`` may then be left out.
PROGRAM = "X-Zerovm-Program"

# The same for the job's image, the member ``image`` or ``image.gz``: ``tar:`` or ``gzip:`` and the SHA-256 of that member. The
# proxy names only images whose bytes it has read itself, with the rights of its caller.
IMAGE = "X-Zerovm-Image"

# With 100 Continue: every so many seconds of a session the server will send a further 100 Continue, as a sign of life. No
# header, no signs.
PULSE = "X-Zerovm-Pulse"

# Response headers, storage server to proxy, and (as comma lists) proxy to client.
SYSTEM = "X-Nexe-System"
STATUS = "X-Nexe-Status"
RETCODE = "X-Nexe-Retcode"
ETAG = "X-Nexe-Etag"
VALIDATION = "X-Nexe-Validation"
CDR = "X-Nexe-Cdr-Line"
POLICY = "X-Nexe-Policy"
COLOCATED = "X-Nexe-Colocated"
ERROR = "X-Nexe-Error"
CACHED = "X-Nexe-Cached"
SERVER = "X-Nexe-Server"  # only from the proxy to the client: where the node ran

NOT_RUN = "ZeroVM did not run"
RUNTIME_ERROR = "ZeroVM runtime error"
NO_CDR = "0.0 0.0 0 0 0 0 0 0 0 0"

# Members of the request's tar stream; any other member is named by its device.
SYSMAP_MEMBER = "sysmap"
BOOT_MEMBER = "boot"
IMAGE_MEMBER = "image"
GZIP_IMAGE_MEMBER = "image.gz"
IMAGE_FORMS = {IMAGE_MEMBER: "tar:", GZIP_IMAGE_MEMBER: "gzip:"}

# Members of the answer's tar stream are named by their devices, but for this one. A session that failed answers 200 with
# X-Nexe-Error and with its outputs like any other; if its node describes no stderr, the end of what the program wrote there
# (at most 64 KiB) comes last as this member, only to be told.
STORY_MEMBER = "stderr.story"

# The answer 409 with this header says that the object's bytes on the server are not the object, or the container's database
# not its listing, or that an object which should lie on the same device as the node's own does not. The proxy then reads the
# objects through the pipeline, and asks again with an empty X-Zerovm-Access and the objects as members named by their devices.
NOT_LOCAL = "X-Zerovm-Not-Local"
LARGE_OBJECT = "slo"
DYNAMIC_LARGE_OBJECT = "dlo"
SYMLINK = "symlink"
ERASURE_CODED = "erasure-coded"
ENCRYPTED = "encrypted"
SHARDED = "sharded"
MISSING = "missing"

LONGEST_SEPARATOR = 256
"""Bytes of what ends a record of a split object."""

# The member with this after its device's name holds bytes that follow those of the device's object: the end of a record that
# goes on in another object.
REST_SUFFIX = ".rest"

TAR_TYPES = frozenset(("application/x-tar", "application/x-gtar", "application/x-ustar", "application/x-gzip"))


class WireError(ValueError):
    """A node description that is not what its peer should have sent. The text names the key."""


def _checked(value: Any, kind: type | tuple[type, ...], key: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise WireError(f"node description: {key} has the wrong type")
    return value


def _strings(value: Any, key: str) -> dict[str, str]:
    for name, text in _checked(value, dict, key).items():
        _checked(text, str, f"{key}.{name}")
    return dict(value)


@dataclass(frozen=True)
class SliceDescription:
    """The part of an object that a node of a ``split`` group works on: bytes ``start`` to ``end`` (exclusive) of ``size``.

    With a ``separator`` the node sees the records that begin there (:func:`zerocloud.sysmap.visible_range`), else these bytes.
    With an ``etag`` the object has to be the one with it.
    """

    start: int
    end: int
    size: int
    separator: str = ""
    etag: str = ""

    @classmethod
    def from_value(cls, value: Any) -> SliceDescription | None:
        """Check and take the value of ``channels.slice``. Raises WireError."""
        if value is None:
            return None
        _checked(value, dict, "channels.slice")
        start, end, size = (_checked(value.get(key), int, f"channels.slice.{key}") for key in ("start", "end", "size"))
        separator = _checked(value.get("separator", ""), str, "channels.slice.separator")
        if not 0 <= start <= end <= size < 1 << 63:
            raise WireError("node description: channels.slice is no part of an object")
        try:
            encoded = separator.encode()
        except UnicodeEncodeError:
            raise WireError("node description: channels.slice.separator is not Unicode text") from None
        if len(encoded) > LONGEST_SEPARATOR:
            raise WireError(f"node description: channels.slice.separator has more than {LONGEST_SEPARATOR} bytes")
        return cls(start, end, size, separator, _checked(value.get("etag", ""), str, "channels.slice.etag"))


@dataclass(frozen=True)
class ChannelDescription:
    """One device of a node, as it travels. ``access`` holds the bits of :class:`zerocloud.sysmap.plan.Access`.

    ``partition`` is set where the object should lie on the very device that the node is placed on, so that it is not sent:
    its partition in the ring of the node's storage policy. Where ``slice`` is set and the object came along as a member, that
    member is already what the node is to see of it.
    """

    device: str
    access: int
    path: str | None = None
    content_type: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    mode: str | None = None
    min_size: int = 0
    removable: bool = False
    mountpoint: str = "/"
    slice: SliceDescription | None = None
    partition: int | None = None

    @classmethod
    def from_value(cls, value: Any) -> ChannelDescription:
        """Check and take one element of ``channels``. Raises WireError."""
        _checked(value, dict, "channels")
        optional = (str, type(None))
        partition = value.get("partition")
        if partition is not None and not 0 <= _checked(partition, int, "channels.partition") < 1 << 32:
            raise WireError("node description: channels.partition is none")
        return cls(
            device=_checked(value.get("device"), str, "channels.device"),
            access=_checked(value.get("access"), int, "channels.access"),
            path=_checked(value.get("path"), optional, "channels.path"),
            content_type=_checked(value.get("content_type"), optional, "channels.content_type"),
            meta=_strings(value.get("meta") or {}, "channels.meta"),
            mode=_checked(value.get("mode"), optional, "channels.mode"),
            min_size=_checked(value.get("min_size", 0), int, "channels.min_size"),
            removable=_checked(value.get("removable", False), bool, "channels.removable"),
            mountpoint=_checked(value.get("mountpoint", "/"), str, "channels.mountpoint"),
            slice=SliceDescription.from_value(value.get("slice")),
            partition=partition,
        )


@dataclass(frozen=True)
class NodeDescription:
    """One node as the storage server is told of it: the tar member ``sysmap``.

    ``bind`` and ``connect`` are ready manifest lines; ``name_service`` is ``udp:host:port`` where the job has a network, and
    ``token`` the job's shared secret for its handshakes (hexadecimal). ``path_info`` is the unquoted path of the local object.
    ``timeout`` (seconds) and ``memory`` (bytes) are the node's own limits, where its map sets them.
    """

    id: int
    name: str
    exe: str
    exe_name: str
    args: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[ChannelDescription, ...] = ()
    bind: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    name_service: str | None = None
    token: str | None = None
    access: str = ""
    path_info: str = ""
    replicate: int = 1
    data_in: bool = False
    timeout: float | None = None
    memory: int | None = None

    def to_json(self) -> bytes:
        """The bytes that travel."""
        text: str = simplejson.dumps(self.to_value(), separators=(",", ":"))
        return text.encode()

    def to_value(self) -> dict[str, Any]:
        """The JSON object, as plain values."""
        value = {name: getattr(self, name) for name in self.__dataclass_fields__}
        value["channels"] = [asdict(channel) for channel in self.channels]
        return value

    @classmethod
    def from_json(cls, text: bytes) -> NodeDescription:
        """Read what :meth:`to_json` wrote. Unknown keys are ignored. Raises WireError."""
        try:
            value = simplejson.loads(text)
        except (ValueError, RecursionError):
            raise WireError("node description: not JSON") from None
        _checked(value, dict, "node")
        optional, number = (str, type(None)), (int, float, type(None))
        return cls(
            id=_checked(value.get("id"), int, "id"),
            name=_checked(value.get("name"), str, "name"),
            exe=_checked(value.get("exe"), str, "exe"),
            exe_name=_checked(value.get("exe_name"), str, "exe_name"),
            args=_checked(value.get("args", ""), str, "args"),
            env=_strings(value.get("env") or {}, "env"),
            channels=tuple(map(ChannelDescription.from_value, _checked(value.get("channels", []), list, "channels"))),
            bind=tuple(_checked(line, str, "bind") for line in _checked(value.get("bind", []), list, "bind")),
            connect=tuple(_checked(line, str, "connect") for line in _checked(value.get("connect", []), list, "connect")),
            name_service=_checked(value.get("name_service"), optional, "name_service"),
            token=_checked(value.get("token"), optional, "token"),
            access=_checked(value.get("access", ""), str, "access"),
            path_info=_checked(value.get("path_info", ""), str, "path_info"),
            replicate=_checked(value.get("replicate", 1), int, "replicate"),
            data_in=_checked(value.get("data_in", False), bool, "data_in"),
            timeout=_checked(value.get("timeout"), number, "timeout"),
            memory=_checked(value.get("memory"), (int, type(None)), "memory"),
        )
