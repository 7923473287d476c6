"""Reads the URLs of a system map. Percent-decodes exactly once, as UTF-8. Source: system map, section 3."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from .paths import ImagePath, Location, NetworkPath, PeerPath, SwiftPath, SwiftPattern
from .problems import did_you_mean, shown
from .wildcards import Glob

SCHEMES = ("swift", "file", "zvm", "tcp", "udp")
MOST_CONTAINER_BYTES = 256
MOST_OBJECT_BYTES = 1024
MOST_WILDCARDS = 32
USER_IMAGE = "image"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_RAW_CONTROL = re.compile("[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_SURROGATE = re.compile("[\ud800-\udfff]")


class UrlError(ValueError):
    """A URL that can't be read. The text says why; ``cure`` says what would help, where that is obvious."""

    def __init__(self, reason: str, cure: str = "") -> None:
        super().__init__(reason)
        self.cure = cure


def has_surrogate(text: str) -> bool:
    """Whether it holds half of a surrogate pair, which is not Unicode text and has no UTF-8 form."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def parse_url(text: str, account: str, wildcards: bool = True) -> Location:
    """The value of one URL. ``account`` is what ``.`` and ``~`` stand for; without ``wildcards``, ``*`` is an ordinary letter.

    Raises UrlError.
    """
    matched = _URL.fullmatch(text)
    if not matched:
        cure = (
            f'Write "swift://~{text}"?' if text.startswith("/") else f"URLs begin with {', '.join(f'{s}://' for s in SCHEMES)}"
        )
        raise UrlError(f"Not a URL: {shown(text)}", cure)
    scheme, rest = matched.groups()
    if has_surrogate(rest):
        raise UrlError(f"Not Unicode text: {shown(text)}")
    if _RAW_CONTROL.search(rest):
        raise UrlError(f"Control character in URL: {shown(text)}", "Percent-encode it")
    if scheme == "swift":
        return _swift(rest, account, wildcards)
    if scheme == "file":
        return _image(rest)
    if scheme == "zvm":
        return _peer(rest)
    if scheme in ("tcp", "udp"):
        return _network(scheme, rest)
    raise UrlError(f"Unknown scheme in URL: {shown(text)}", did_you_mean(scheme, SCHEMES))


def parse_swift_url(text: str, account: str) -> SwiftPath:
    """A ``swift://`` URL without wildcards, as headers and metadata hold it. Raises UrlError."""
    path = parse_url(text, account, wildcards=False)
    if not isinstance(path, SwiftPath):
        raise UrlError(f"Not a swift:// URL: {shown(text)}")
    return path


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise UrlError(f'"%" without two hexadecimal digits in {shown(text)}', 'Write "%25" for the character itself')
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise UrlError(f"Percent-encoded bytes are not UTF-8 in {shown(text)}") from None
    if "\0" in decoded:
        raise UrlError(f"Null character in {shown(text)}")
    return decoded


def _limited(name: str, kind: str, limit: int) -> str:
    size = len(name.encode())
    if size > limit:
        raise UrlError(f"The {kind} {shown(name)} has {size} bytes, the limit is {limit}")
    return name


def checked_swift_path(account: str, container: str, object_: str) -> SwiftPath:
    """A path whose names Swift can hold. Raises UrlError."""
    if "/" in account or "/" in container:
        raise UrlError(f'"/" in the name of an account or container: {shown(container if "/" in container else account)}')
    if object_ and not container:
        raise UrlError(f"No container before the object {shown(object_)}")
    return SwiftPath(
        _limited(account, "account", MOST_CONTAINER_BYTES),
        _limited(container, "container", MOST_CONTAINER_BYTES),
        _limited(object_, "object", MOST_OBJECT_BYTES),
    )


def _swift(rest: str, account: str, wildcards: bool) -> SwiftPath | SwiftPattern:
    first, _, tail = rest.partition("/")
    container, _, object_ = tail.partition("/")
    if not first:
        raise UrlError(
            f"No account in URL: {shown('swift://' + rest)}", "Write swift://~/container/object for your own account"
        )
    named = account if first in (".", "~") else _decoded(first)
    if not wildcards or "*" not in rest:
        return checked_swift_path(named, _decoded(container), _decoded(object_))
    if "*" in first:
        raise UrlError(
            f"Invalid path: {shown('swift://' + rest)}", "Wildcards stand in containers and objects, not in accounts"
        )
    if rest.count("*") > MOST_WILDCARDS:
        raise UrlError(f"{rest.count('*')} wildcards in URL: {shown('swift://' + rest)}, the limit is {MOST_WILDCARDS}")
    container_glob, object_glob = _glob(container), _glob(object_)
    checked_swift_path(named, "".join(container_glob.literals) or "*", "".join(object_glob.literals))
    if not container:
        raise UrlError(f"No container in URL: {shown('swift://' + rest)}")
    return SwiftPattern(named, container_glob, object_glob if object_ else None)


def _glob(text: str) -> Glob:
    return Glob(tuple(_decoded(literal) for literal in text.split("*")))


def _image(rest: str) -> ImagePath:
    image, colon, path = rest.partition(":")
    if not colon:
        image, path = USER_IMAGE, rest
    if not path or not image:
        raise UrlError(f"No {'file' if image else 'image'} in URL: {shown('file://' + rest)}", "Write file://image:path")
    return ImagePath(_decoded(image), _decoded(path))


def _peer(rest: str) -> PeerPath:
    host, colon, device = rest.partition(":")
    if not colon or not host or not device.removeprefix("/dev/"):
        raise UrlError(f"Not a node and a device: {shown('zvm://' + rest)}", "Write zvm://node:/dev/device")
    return PeerPath(_decoded(host), _glob(device if device.startswith("/dev/") else f"/dev/{device}"))


def _network(scheme: str, rest: str) -> NetworkPath:
    host, _, port = rest.rpartition(":")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", host) or not re.fullmatch("[0-9]{1,5}", port):
        raise UrlError(f"Not a host and a port: {shown(f'{scheme}://{rest}')}", f"Write {scheme}://host:port")
    return NetworkPath(scheme, rest)
