"""``X-Zerovm-Source``: an object takes the role of the body, and the body is what its programs read (HTTP API, section 3)."""

from __future__ import annotations

from zerocloud.sysmap import SwiftPath, UrlError, parse_swift_url

from ..errors import JobError
from ..intake import Content, image_name
from ..request import JobRequest
from ..subrequests import version_of
from ..zapps import Zapp
from .door import GZIP, JSON, TAR_TYPES, Door
from .opened import Opened, Unread
from .script import MOST_SCRIPT, script_job
from .tar_image import find_map

SOURCE = "X-Zerovm-Source"


class NoMapError(JobError):
    """An archive has no system map: it is data, not a zapp."""

    def __init__(self, path: SwiftPath) -> None:
        super().__init__(400, f"System boot map was not found in {path.path}")


def source_path(url: str, account: str) -> SwiftPath:
    """The object that a source names. Raises JobError (412)."""
    try:
        path = parse_swift_url(url, account)
    except UrlError as error:
        raise JobError(412, f"{SOURCE} format is swift://account/container/object: {error}") from error
    if not path.object:
        raise JobError(412, f"{SOURCE} format is swift://account/container/object")
    return path


def sourced(door: Door, opened: Opened) -> JobRequest:
    """The job of an open object: an archive, a map or a script. Raises JobError."""
    found = zapp(door, opened)
    if found is not None:
        return found
    return script_job(door, door.intake.fetched(opened.fetched, opened.path.path, MOST_SCRIPT))


def zapp(door: Door, opened: Opened) -> JobRequest | None:
    """The job of an open object that is an archive with a map, or a map. None, and nothing is read, for other types.

    Raises JobError: NoMapError (400) for an archive without a map.
    """
    if opened.known is not None:
        return _job(door, opened.known, Unread(door, opened.path, opened.known))
    if opened.kind == JSON:
        found, image = _map(door, opened), None
    elif opened.kind in TAR_TYPES:
        found, image = _archive(door, opened)
    else:
        return None
    job = _job(door, found, image)
    if found.etag:
        door.zapps.remember(opened.path, found)
    return job


def _job(door: Door, zapp: Zapp, image: Content | None) -> JobRequest:
    document = door.parse(zapp.text)
    return door.job(document, image if zapp.image else None, zapp.compressed, door.payload(document), zapp.image)


def _map(door: Door, opened: Opened) -> Zapp:
    most = door.settings.maximum_map
    if (opened.fetched.length or 0) > most:
        raise JobError(413, f"The system map is larger than {most} bytes")
    text = door.intake.fetched(opened.fetched, opened.path.path, most)
    return Zapp(*_version(opened), JSON, text.head(text.size))


def _archive(door: Door, opened: Opened) -> tuple[Zapp, Content]:
    kind, image = opened.kind, door.intake.fetched(opened.fetched, opened.path.path)
    text = find_map(image, kind, door.settings.maximum_input)
    if text is None:
        raise NoMapError(opened.path)
    compressed = kind == GZIP
    read = Zapp(*_version(opened), kind, text, image_name(image, compressed), compressed, image.size)
    return read, image


def _version(opened: Opened) -> tuple[str, str]:
    """Empty for what can't be known again."""
    return version_of(opened.fetched.headers) or ("", "")
