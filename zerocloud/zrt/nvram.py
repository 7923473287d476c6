r"""The guest's configuration text: parsed into one value, and written from one (executor contract, section 8).

::

    [fstab]
    channel=/dev/image, mountpoint=/, access=ro, removable=no
    [args]
    args=python /script.py "two words" a\x2cb
    [env]
    name=HOME, value=/
    [mapping]
    channel=/dev/stdin, mode=char
    [time]
    seconds=1700000000.25, seed=7

A record is a line of ``key=value`` pairs between commas; a comma, ``#`` or the line's end closes a value. ``#`` starts a
comment. ``\xHH`` stands for any byte, in the values of ``[env]`` and in arguments. Unknown sections, unknown keys and records
that lack a key are passed over; of a key given twice the first counts. A value that can't be meant, such as ``access=rw``,
raises :class:`NvramError` with the line's number.

:func:`render` is the inverse of :func:`parse`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .errors import NvramError

MAX_BYTES = 1 << 20
MAX_SECTIONS = 7
MAX_RECORDS = 1 << 14
"""Room for a record of each channel that a manifest can have; the first ZeroVM had 100, and 10,240 bytes."""
MAX_KEYS = 5
MODES = ("pipe", "char", "file")
ACCESSES = ("ro", "wo")
MAX_SECONDS = 1 << 33
MAX_SEED = (1 << 64) - 1
MAX_VERBOSITY = 4

_BLANKS = b" \t\r"
_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
_ESCAPED = re.compile(rb"[^!$-+\--\[\]-~]")
_WORD = re.compile(rb'"([^"]*)"?|([^ \t]+)')

Record = dict[bytes, bytes]


@dataclass(frozen=True)
class Filesystem:
    """One record of ``[fstab]``: an archive in a channel, to be mounted (``ro``) or left behind at exit (``wo``)."""

    channel: str
    mountpoint: str
    access: str = "ro"
    removable: bool = False


@dataclass(frozen=True)
class Nvram:
    """A guest's configuration. ``time`` is in seconds since 1970; ``debug`` the verbosity from 0 to 4."""

    mounts: tuple[Filesystem, ...] = ()
    args: tuple[bytes, ...] = ()
    env: Mapping[bytes, bytes] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)
    time: float | None = None
    seed: int | None = None
    debug: int | None = None
    precache: bool = False


# ---------------------------------------------------------------------------------------------------------------- reading


def parse(text: bytes) -> Nvram:
    """Read an NVRAM. Raises NvramError."""
    sections = _sections(text)
    settings: dict[str, object] = {}
    for name, read in _READERS.items():
        settings.update(read(sections.get(name, [])))
    return Nvram(**settings)  # type: ignore[arg-type]


def _sections(text: bytes) -> dict[bytes, list[tuple[int, Record]]]:
    if len(text) > MAX_BYTES:
        raise NvramError(f"NVRAM has {len(text)} bytes, at most {MAX_BYTES} are allowed")
    sections: dict[bytes, list[tuple[int, Record]]] = {}
    records: list[tuple[int, Record]] | None = None
    for number, line in enumerate(text.split(b"\n"), 1):
        content = line.partition(b"#")[0].strip(_BLANKS)
        if line.startswith(b"["):
            if not content.endswith(b"]"):
                raise NvramError(f"NVRAM {number}: the section's name lacks its closing bracket")
            records = sections.setdefault(content[1:-1].strip(_BLANKS), [])
            if len(sections) > MAX_SECTIONS:
                raise NvramError(f"NVRAM {number}: more than {MAX_SECTIONS} sections")
        elif content:
            if records is None:
                raise NvramError(f"NVRAM {number}: a record outside of any section")
            if len(records) == MAX_RECORDS:
                raise NvramError(f"NVRAM {number}: more than {MAX_RECORDS} records in a section")
            records.append((number, _record(number, content)))
    return sections


def _record(number: int, content: bytes) -> Record:
    pairs: Record = {}
    parts = content.split(b",")
    if len(parts) > MAX_KEYS:
        raise NvramError(f"NVRAM {number}: more than {MAX_KEYS} keys in a record")
    for part in parts:
        key, equals, value = part.partition(b"=")
        if equals:
            pairs.setdefault(key.strip(_BLANKS), value.strip(_BLANKS))
    return pairs


def _complete(records: list[tuple[int, Record]], *keys: bytes) -> Iterator[tuple[int, list[str], Record]]:
    """The records that have all the keys, with those keys' values as text."""
    for number, record in records:
        if all(record.get(key) for key in keys):
            yield number, [_text(record[key]) for key in keys], record


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")


def _unescape(number: int, value: bytes) -> bytes:
    plain = _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), value)
    if b"\0" in plain:
        raise NvramError(f"NVRAM {number}: a NUL byte in an argument or variable")
    return plain


def _read_fstab(records: list[tuple[int, Record]]) -> dict[str, object]:
    mounts = []
    for number, (channel, mountpoint, access), record in _complete(records, b"channel", b"mountpoint", b"access"):
        removable = _flag(number, record.get(b"removable", b"no"), "removable")
        entry = Filesystem(channel, mountpoint, access, removable)
        problem = _mount_problem(entry)
        if not problem and record.get(b"fsname", b"tar") != b"tar":
            problem = f"fsname={_text(record[b'fsname'])} is unknown, expected tar"
        if problem:
            raise NvramError(f"NVRAM {number}: {problem}")
        mounts.append(entry)
    return {"mounts": tuple(mounts)}


def _mount_problem(entry: Filesystem) -> str:
    """What is wrong with a mount, or nothing."""
    if entry.access not in ACCESSES:
        return f"access={entry.access} is unknown, expected ro or wo"
    if not entry.mountpoint.startswith("/"):
        return f"mountpoint={entry.mountpoint} is not an absolute path"
    parts = [part for part in entry.mountpoint.split("/") if part not in ("", ".")]
    if ".." in parts:
        return f"mountpoint={entry.mountpoint} holds '..'"
    if parts[:1] == ["dev"]:
        return f"mountpoint={entry.mountpoint} lies in /dev, which belongs to the channels"
    if entry.access == "wo" and not parts:
        return "mountpoint=/ can't be mounted wo"
    return ""


def _read_env(records: list[tuple[int, Record]]) -> dict[str, object]:
    env = {}
    for number, record in records:
        name, value = record.get(b"name"), record.get(b"value")
        if name and value is not None:
            if b"=" in name or b"\0" in name:
                raise NvramError(f"NVRAM {number}: a variable's name can't hold '=' or NUL")
            env[name] = _unescape(number, value)
    return {"env": env}


def _read_args(records: list[tuple[int, Record]]) -> dict[str, object]:
    for number, record in records:
        if b"args" in record:
            words = _WORD.finditer(record[b"args"])
            return {"args": tuple(_unescape(number, word[1] if word[2] is None else word[2]) for word in words)}
    return {}


def _read_mapping(records: list[tuple[int, Record]]) -> dict[str, object]:
    mapping: dict[str, str] = {}
    for _, (channel, mode), _ in _complete(records, b"channel", b"mode"):
        if mode in MODES:
            mapping.setdefault(channel, mode)
    return {"mapping": mapping}


def _read_time(records: list[tuple[int, Record]]) -> dict[str, object]:
    settings: dict[str, object] = {}
    for number, (seconds,), _ in _complete(records, b"seconds"):
        settings.setdefault("time", _seconds(f"NVRAM {number}: ", seconds))
    for number, (seed,), _ in _complete(records, b"seed"):
        settings.setdefault("seed", _whole(f"NVRAM {number}: ", "seed", seed, MAX_SEED))
    return settings


def _read_debug(records: list[tuple[int, Record]]) -> dict[str, object]:
    for number, (verbosity,), _ in _complete(records, b"verbosity"):
        return {"debug": _whole(f"NVRAM {number}: ", "verbosity", verbosity, MAX_VERBOSITY)}
    return {}


def _read_precache(records: list[tuple[int, Record]]) -> dict[str, object]:
    for number, (precache,), _ in _complete(records, b"precache"):
        return {"precache": _flag(number, precache.encode(errors="surrogateescape"), "precache")}
    return {}


_READERS: dict[bytes, Callable[[list[tuple[int, Record]]], dict[str, object]]] = {
    b"fstab": _read_fstab,
    b"env": _read_env,
    b"args": _read_args,
    b"mapping": _read_mapping,
    b"time": _read_time,
    b"debug": _read_debug,
    b"precache": _read_precache,
}


def _seconds(where: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_SECONDS:
        raise NvramError(f"{where}seconds={text} is not a time from 0 to {MAX_SECONDS}")
    return seconds


def _whole(where: str, key: str, text: str, maximum: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= maximum):
        raise NvramError(f"{where}{key}={text} is not a whole number from 0 to {maximum}")
    return int(text)


def _flag(number: int, value: bytes, key: str) -> bool:
    if value not in (b"yes", b"no"):
        raise NvramError(f"NVRAM {number}: {key}={_text(value)} is unknown, expected yes or no")
    return value == b"yes"


# ---------------------------------------------------------------------------------------------------------------- writing


def render(nvram: Nvram) -> bytes:
    """Write an NVRAM that :func:`parse` reads as the same value. Raises NvramError where a value can't be written."""
    sections = {
        "fstab": [_fstab_record(entry) for entry in nvram.mounts],
        "args": [b"args=" + b" ".join(map(_argument, nvram.args))] if nvram.args else [],
        "env": [b"name=" + _name(name) + b", value=" + _escape(value) for name, value in nvram.env.items()],
        "mapping": [_mapping_record(channel, mode) for channel, mode in nvram.mapping.items()],
        "time": _time_record(nvram),
        "debug": [] if nvram.debug is None else [b"verbosity=%d" % _whole("", "verbosity", str(nvram.debug), MAX_VERBOSITY)],
        "precache": [b"precache=yes"] if nvram.precache else [],
    }
    for name, records in sections.items():
        if len(records) > MAX_RECORDS:
            raise NvramError(f"[{name}] has {len(records)} records, at most {MAX_RECORDS} are allowed")
    lines = [b"\n".join([b"[" + name.encode() + b"]", *records, b""]) for name, records in sections.items() if records]
    text = b"".join(lines)
    if len(text) > MAX_BYTES:
        raise NvramError(f"NVRAM has {len(text)} bytes, at most {MAX_BYTES} are allowed")
    return text


def _fstab_record(entry: Filesystem) -> bytes:
    if problem := _mount_problem(entry):
        raise NvramError(problem)
    access, removable = entry.access.encode(), b"yes" if entry.removable else b"no"
    return b"channel=%b, mountpoint=%b, access=%b, removable=%b" % (
        _plain(entry.channel),
        _plain(entry.mountpoint),
        access,
        removable,
    )


def _mapping_record(channel: str, mode: str) -> bytes:
    if mode not in MODES:
        raise NvramError(f"mode {mode} of {channel} is unknown, expected one of {', '.join(MODES)}")
    return b"channel=%b, mode=%b" % (_plain(channel), mode.encode())


def _time_record(nvram: Nvram) -> list[bytes]:
    pairs = []
    if nvram.time is not None:
        pairs.append(f"seconds={_seconds('', repr(float(nvram.time)))!r}")
    if nvram.seed is not None:
        pairs.append(f"seed={_whole('', 'seed', str(nvram.seed), MAX_SEED)}")
    return [", ".join(pairs).encode()] if pairs else []


def _plain(text: str) -> bytes:
    """A value that the grammar has no escapes for."""
    try:
        value = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        value = b""
    if not value or value != value.strip(_BLANKS) or any(byte in value for byte in b",#\n\0"):
        raise NvramError(f"{text!r} can't be written into an NVRAM: it is empty, or holds a comma, '#', a line's end or NUL")
    return value


def _name(name: bytes) -> bytes:
    if b"=" in name:
        raise NvramError(f"variable {_text(name)!r} can't be written into an NVRAM: its name holds '='")
    return _plain(_text(name))


def _escape(value: bytes) -> bytes:
    if b"\0" in value:
        raise NvramError(f"{value!r} can't be written into an NVRAM: it holds a NUL byte")
    return _ESCAPED.sub(lambda match: b"\\x%02x" % match[0][0], value)


def _argument(value: bytes) -> bytes:
    return _escape(value) or b'""'
