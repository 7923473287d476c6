"""Programs and images that were sent to this process lately, so that they need not be sent again; programs from such images.

Their names are their contents' digests, made here of what arrived. The proxy says which it is about to send
(:data:`zerocloud.wire.PROGRAM`, :data:`zerocloud.wire.IMAGE`); a server that has it says so together with ``100 Continue``, and
holds it for that request.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack

from swift.common.concurrency import tpool

from zerocloud.objectquery.workspace import Workspace, is_full, read_only

MOST_FILES = 1000
"""Files that are kept at a time, however small they are: each is an open descriptor."""


class Programs:
    """Files without names in the system's temporary directory: a device of Swift's stays free to be unmounted."""

    def __init__(self, most: int, warn: Callable[[str], None], most_files: int = MOST_FILES) -> None:
        """``most`` bytes are kept at a time; 0 keeps none."""
        self._most_files = most_files
        self._most = most
        self._warn = warn
        self._files: OrderedDict[str, io.FileIO] = OrderedDict()
        self._size = 0

    def find(self, name: str, stack: ExitStack) -> io.FileIO | None:
        """The file of this name, open for reading; ``stack`` closes it. None if it is not here."""
        kept = self._files.get(name)
        if kept is None:
            return None
        self._files.move_to_end(name)
        return stack.enter_context(read_only(kept))

    def keep(self, name: str, program: io.FileIO) -> None:
        """Keep a copy; those that were not asked for longest go to make room for it."""
        size = os.fstat(program.fileno()).st_size
        if name in self._files or size > self._most:
            return
        try:
            copy: io.FileIO = tpool.execute(_copy, program)
        except OSError as error:
            self._warn(f"what was sent is not kept: {error}{' (in the temporary directory)' if is_full(error) else ''}")
            return
        if name in self._files:  # another request was faster
            copy.close()
            return
        self._files[name] = copy
        self._size += size
        while self._size > self._most or len(self._files) > self._most_files:
            self._drop_oldest()

    def close(self) -> None:
        """Keep nothing any more."""
        while self._files:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, oldest = self._files.popitem(last=False)
        self._size -= os.fstat(oldest.fileno()).st_size
        oldest.close()


class KnownImage:
    """The image of a session by its name, and the programs that were taken from it for earlier ones."""

    def __init__(self, programs: Programs, name: str) -> None:
        self._programs = programs
        self._name = name

    def program(self, path: str, stack: ExitStack) -> io.FileIO | None:
        """The program of this path, open for reading; ``stack`` closes it. None if it is yet to be taken out."""
        return self._programs.find(self._called(path), stack)

    def keep(self, path: str, program: io.FileIO) -> None:
        """Keep what was taken out."""
        self._programs.keep(self._called(path), program)

    def _called(self, path: str) -> str:
        return f"{self._name}:{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()}"


def _copy(program: io.FileIO) -> io.FileIO:
    with read_only(program) as source:  # a position of its own
        copy = Workspace(tempfile.gettempdir()).file()
        try:
            shutil.copyfileobj(source, copy)
        except BaseException:
            copy.close()
            raise
        return copy
