"""``X-Zerovm-Source``: an object takes the role of the body, and the body is what its programs read (HTTP API, section 3)."""

from __future__ import annotations

from dataclasses import replace

from zerocloud.sysmap import SwiftPath, UrlError, parse_swift_url

from ..errors import JobError, SourceError
from ..request import JobRequest
from ..subrequests import Fetched
from .door import GZIP, JSON, TAR_TYPES, Door, plain_type
from .script import script_job
from .tar_image import find_map

SOURCE = "X-Zerovm-Source"


def source_path(url: str, account: str) -> SwiftPath:
    """The object that a source names. Raises JobError (412)."""
    try:
        path = parse_swift_url(url, account)
    except UrlError as error:
        raise JobError(412, f"{SOURCE} format is swift://account/container/object: {error}") from error
    if not path.object:
        raise JobError(412, f"{SOURCE} format is swift://account/container/object")
    return path


def sourced(door: Door, path: SwiftPath, fetched: Fetched) -> JobRequest:
    """The job of an open object: an archive, a map or a script. Raises JobError."""
    found = zapp(door, path, fetched)
    if found is not None:
        return found
    return script_job(door, door.intake.fetched(fetched, path.path))


def fetch(door: Door, path: SwiftPath) -> Fetched:
    """Open an object with the rights of the request. Raises JobError with the status of what goes wrong."""
    fetched = door.pipeline.get(path, headers={"X-Newest": "true"} if door.settings.newest else None)
    if fetched.status != 200:
        fetched.close()
        raise SourceError.refused(fetched.status, path)
    return fetched


def zapp(door: Door, path: SwiftPath, fetched: Fetched) -> JobRequest | None:
    """The job of an open object that is an archive with a map, or a map. None, and nothing is read, for other types.

    Raises JobError: 400 for an archive without a map.
    """
    kind = plain_type(fetched.headers.get("content-type"))
    if kind == JSON:
        if (fetched.length or 0) > door.settings.maximum_map:
            raise JobError(413, f"The system map is larger than {door.settings.maximum_map} bytes")
        text = door.intake.fetched(fetched, path.path)
        document = door.parse(text.head(text.size))
        return door.job(document, payload=door.payload(document))
    if kind not in TAR_TYPES:
        return None
    image = door.intake.fetched(fetched, path.path)
    found = find_map(image, kind, door.settings.maximum_input)
    if found is None:
        raise JobError(400, f"System boot map was not found in {path.path}")
    document = door.parse(found)
    job = door.job(document, image, kind == GZIP, door.payload(document))
    return replace(job, brought=job.brought.named())
