"""Takes a request's tar stream apart into files without names (executing server, section 2)."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from swift.common.concurrency import sleep

from zerocloud import wire
from zerocloud.objectquery.body import Body
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.workspace import Workspace
from zerocloud.tarwalk import CHUNK, Member, TarError, walk

MOST_MEMBERS = 512
MOST_DESCRIPTION = 4 << 20
_GZIP = 16 + zlib.MAX_WBITS


class Members:
    """What the proxy sent: the node's description as text, everything else as files. Names are keys, never paths.

    ``kept_image`` is the name under which the image is kept on this server; empty if it is not.
    """

    def __init__(self) -> None:
        self.description = b""
        self.files: dict[str, io.FileIO] = {}
        self.program_hash = hashlib.sha256()
        self.image_hash = hashlib.sha256()
        self.image_form = ""
        self.kept_image = ""

    @property
    def image_name(self) -> str:
        """What the image that came is called (:data:`zerocloud.wire.IMAGE`)."""
        return self.image_form + self.image_hash.hexdigest()


def receive(body: Body, workspace: Workspace, most_inflated: int, stack: ExitStack) -> Members:
    """Read the whole body; ``stack`` closes the files. A repeated name continues its file.

    Raises :class:`Refusal`: 400 for what is not a tar stream of at most 512 regular members, 413 for a description beyond
    4 MiB or an image beyond ``most_inflated`` bytes, 422 for a broken gzip image. Raises OSError if the device is full.
    """
    members = Members()
    try:
        for member in walk(body):
            _take(member, members, workspace, most_inflated, stack)
        body.drain()
    except TarError as error:
        raise Refusal(400, f"The request's tar stream is broken: {error}") from None
    return members


def _take(member: Member, members: Members, workspace: Workspace, most_inflated: int, stack: ExitStack) -> None:
    if not member.regular:
        raise TarError(f"its member {member.name!r} is not a regular file")
    if member.name == wire.SYSMAP_MEMBER:
        members.description += _small(member, MOST_DESCRIPTION - len(members.description))
        return
    data: Iterable[bytes] = member.chunks()
    name = member.name
    if name in wire.IMAGE_FORMS:
        members.image_form += wire.IMAGE_FORMS[name]  # of one that comes in pieces of both forms this makes no name
        data = _hashed(data, members.image_hash)
    if name == wire.GZIP_IMAGE_MEMBER:
        name, data = wire.IMAGE_MEMBER, inflate(data, most_inflated)
    if name not in members.files:
        if len(members.files) == MOST_MEMBERS:
            raise TarError(f"it has more than {MOST_MEMBERS} members")
        members.files[name] = stack.enter_context(workspace.file())
    if name == wire.BOOT_MEMBER:
        data = _hashed(data, members.program_hash)
    write_all(members.files[name], data)


def _hashed(data: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in data:
        digest.update(chunk)
        yield chunk


def _small(member: Member, limit: int) -> bytes:
    if member.size > limit:
        raise Refusal(413, f"The node's description has {member.size} bytes; {limit} are left of {MOST_DESCRIPTION}")
    return b"".join(member.chunks())


def write_all(file: io.FileIO, data: Iterable[bytes]) -> None:
    """Append every chunk. Chunks are small and go to the page cache, so nothing else waits long for them. Raises OSError."""
    for chunk in data:
        view = memoryview(chunk)
        while view:
            view = view[file.write(view) or 0 :]


def inflate(data: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """The content of a gzip stream of one or more members, in chunks of at most 64 KiB, letting others run between them.

    Raises :class:`Refusal`: 422 if it is broken or cut, 413 as soon as it grows beyond ``limit`` bytes.
    """
    inflated = 0
    engine = zlib.decompressobj(_GZIP)
    for compressed in data:
        pending, more = compressed, True
        while pending or more:
            if engine.eof:
                engine = zlib.decompressobj(_GZIP)
            try:
                chunk = engine.decompress(pending, CHUNK)
            except zlib.error:
                raise Refusal(422, "Failed to inflate gzipped image") from None
            pending = engine.unused_data if engine.eof else engine.unconsumed_tail
            more = len(chunk) == CHUNK and not engine.eof  # a full chunk may leave some behind in the engine
            inflated += len(chunk)
            if inflated > limit:
                raise Refusal(413, f"The gzipped image inflates to more than {limit} bytes")
            yield chunk
            sleep(0)
    if not engine.eof:
        raise Refusal(422, "Failed to inflate gzipped image")
