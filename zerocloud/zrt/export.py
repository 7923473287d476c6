"""Writing a directory of the tree as a tar archive: what a ``wo`` mount leaves behind.

The archive is written into its channel from the beginning, with names relative to the mount point and in order, so that the
same tree always gives the same bytes. Long and odd names take PAX headers.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator

from .appender import CHUNK, Appender
from .channel import Channel
from .clock import SECOND
from .errors import ExportError
from .nodes import Directory, File, Node, SymbolicLink

_FILE_MODE, _DIRECTORY_MODE = 0o644, 0o755
_BLOCK = tarfile.BLOCKSIZE


def export(directory: Directory, channel: Channel, alias: str) -> None:
    """Write everything below a directory into a channel. Raises ExportError."""
    try:
        _write_all(directory, Appender(channel))
    except OSError as error:
        raise ExportError(f"channel {alias}: the archive of files could not be written: {error.strerror}") from error


def _write_all(directory: Directory, writer: Appender) -> None:
    seen: dict[int, bytes] = {}
    for name, node in _below(directory):
        info = _header(name, node, seen)
        writer.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        if isinstance(node, File) and info.type == tarfile.REGTYPE:
            _write_data(node, writer)
    writer.write(bytes(2 * _BLOCK))
    writer.flush()


def _below(directory: Directory) -> Iterator[tuple[bytes, Node]]:
    """All names below a directory, each directory before what is in it; of /dev nothing."""
    todo: list[tuple[bytes, Node]] = [(b"", directory)]
    while todo:
        path, node = todo.pop()
        if node is not directory:
            yield path, node
        if isinstance(node, Directory):
            above = path + b"/" if path else b""
            below = sorted(node.names.items(), reverse=True)
            todo.extend((above + name, entry) for name, entry in below if not _is_dev(entry))


def _header(path: bytes, node: Node, seen: dict[int, bytes]) -> tarfile.TarInfo:
    """A member's header. The second name of a file becomes a hard link to the first."""
    info = tarfile.TarInfo(_text(path))
    info.mtime = node.modified // SECOND
    info.mode = _FILE_MODE
    if isinstance(node, Directory):
        info.type, info.mode = tarfile.DIRTYPE, _DIRECTORY_MODE
    elif node.inode in seen:
        info.type, info.linkname = tarfile.LNKTYPE, _text(seen[node.inode])
    elif isinstance(node, SymbolicLink):
        info.type, info.linkname = tarfile.SYMTYPE, _text(node.target)
    else:
        info.size = node.size
    if node.links > 1:
        seen.setdefault(node.inode, path)
    return info


def _write_data(file: File, writer: Appender) -> None:
    """A file's bytes, filled up to a whole block. One that can't be read whole any more is filled up with zeros."""
    buffer, position, size = bytearray(CHUNK), 0, file.size
    with memoryview(buffer) as view:
        while position < size:
            got = file.read([view[: size - position]], position)
            piece = view[:got] if got else bytes(min(CHUNK, size - position))
            writer.write(piece)
            position += len(piece)
    writer.write(bytes(-size % _BLOCK))


def _text(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


def _is_dev(node: Node) -> bool:
    return isinstance(node, Directory) and node.fixed
