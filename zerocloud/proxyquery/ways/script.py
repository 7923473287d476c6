"""A script whose first line names its interpreter: ``#!file://python:bin/python -u`` (HTTP API, section 2).

It travels as an image with one file, ``/script``. With a container or a pattern in the request's path there is a node for each
object, with an object just one; the object is the script's standard input.
"""

from __future__ import annotations

import io
import tarfile
from typing import Any
from urllib.parse import quote

from zerocloud.sysmap import ImagePath, SwiftPath, UrlError
from zerocloud.sysmap.urls import parse_url

from ..errors import JobError
from ..intake import Kept
from ..request import JobRequest
from .door import Door

MOST_LINE = 4096
MOST_SCRIPT = 16 << 20
NAME = "script"
BLOCK = 512


def posted_script(door: Door) -> JobRequest:
    """The job of a script in the body. Raises JobError (400, 413)."""
    if not door.environ.get("CONTENT_LENGTH"):
        raise JobError(400, "Must specify Content-Length")
    return script_job(door, door.intake.body(door.environ, MOST_SCRIPT), posted=True)


def script_job(door: Door, script: Kept, posted: bool = False) -> JobRequest:
    """The job of a script of at most :data:`MOST_SCRIPT` bytes; one that was not ``posted`` itself reads what was.

    Raises JobError (400).
    """
    interpreter, image, rest = script_line(script.head(MOST_LINE), door.account)
    devices: list[dict[str, Any]] = [{"name": "stdout", "content_type": "text/plain"}, {"name": "stderr"}]
    if image:
        devices.append({"name": image})
    if door.container:
        devices.append({"name": "stdin", "path": _inputs(door)})
    elif not posted:
        devices.append({"name": "stdin"})
    arguments = f"{rest} {NAME}" if rest else NAME
    document = [{"name": NAME, "exec": {"path": interpreter, "args": arguments}, "devices": devices}]
    payload = None if posted else door.payload(document)
    return door.job(document, door.intake.of_bytes(_archive(script.head(MOST_SCRIPT))), payload=payload)


def _inputs(door: Door) -> str:
    """The objects that the request's path names: one, all of a container, or those of a pattern."""
    names = quote(f"{door.container}/{door.object or '*'}", safe="/*")
    return f"swift://{quote(door.account, safe='')}/{names}"


def script_line(head: bytes, account: str) -> tuple[str, str, str]:
    """The interpreter's URL, the system image it is in, and its arguments. Raises JobError (400)."""
    if not head.startswith(b"#!"):
        raise JobError(400, "Unsupported Content-Type: expected a system map, a tar archive, or a script that begins with #!")
    line, end, _ = head[2:].partition(b"\n")
    if not end:
        raise JobError(400, "Cannot find shebang (#!) in script: its first line has no end")
    try:
        url, _, rest = line.decode().strip().partition(" ")
        path = parse_url(url, account, wildcards=False)
    except (UnicodeDecodeError, UrlError) as error:
        raise JobError(400, f"Bad interpreter {line[:80].decode('utf-8', 'replace').strip()}: {error}") from error
    if isinstance(path, SwiftPath):
        return url, "", rest.strip()
    if isinstance(path, ImagePath):
        if ":" not in url.removeprefix("file://"):
            raise JobError(400, f"Must supply image name in shebang url {url}")
        return url, path.image, rest.strip()
    raise JobError(400, f"Bad interpreter {url}: write swift://account/container/object or file://image:path")


def _archive(script: bytes) -> bytes:
    """A tar with the script in it."""
    header = tarfile.TarInfo(NAME)
    header.size, header.mode = len(script), 0o755
    stream = io.BytesIO()
    stream.write(header.tobuf(tarfile.USTAR_FORMAT) + script + bytes(-len(script) % BLOCK) + bytes(2 * BLOCK))
    return stream.getvalue()
