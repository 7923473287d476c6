"""Whether an image is whole: every member is there once, and has the digest that the description says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zerocloud.tarwalk import FileSource, Member, TarError, walk

from .archive import DESCRIPTION, Description, ImageError

MOST_DESCRIPTION = 4 << 20


def read_description(path: Path) -> Description:
    """What an image says of itself. Raises ImageError, OSError."""
    with open_member(path, DESCRIPTION) as member:
        return _described(member)


@contextmanager
def open_member(path: Path, name: str) -> Iterator[Member]:
    """One member of an image, to be read inside the block. Raises ImageError, OSError."""
    with path.open("rb") as file:
        try:
            found = next((member for member in walk(_source(file.fileno())) if member.name == name), None)
            if found is None:
                raise ImageError(f"{path} is no image of ZeroCloud: it has no {name}")
            yield found
        except TarError as error:
            raise ImageError(f"{path} is no image: {error}") from error


def check_image(path: Path, tell: Callable[[int], None] = lambda size: None) -> Description:
    """Read all of an image; its description. ``tell`` hears of bytes as they are checked. Raises ImageError, OSError."""
    description = read_description(path)
    left = dict(description.digests)
    with path.open("rb") as file:
        try:
            for member in walk(_source(file.fileno())):
                if member.name != DESCRIPTION and left.pop(member.name, "") != _digest(member, tell):
                    raise ImageError(f"{path}: {member.name} is not what the image's description says")
        except TarError as error:
            raise ImageError(f"{path} is broken: {error}") from error
    if left:
        raise ImageError(f"{path} lacks {', '.join(sorted(left)[:3])}{' and more' if len(left) > 3 else ''}")
    return description


def _source(descriptor: int) -> FileSource:
    return FileSource(lambda size, position: os.pread(descriptor, size, position))


def _described(member: Member) -> Description:
    if member.size > MOST_DESCRIPTION:
        raise ImageError(f"The image's {DESCRIPTION} has {member.size} bytes; the limit is {MOST_DESCRIPTION}")
    return Description.from_json(b"".join(member.chunks()))


def _digest(member: Member, tell: Callable[[int], None]) -> str:
    found = hashlib.sha256()
    for piece in member.chunks():
        found.update(piece)
        tell(len(piece))
    return found.hexdigest()
