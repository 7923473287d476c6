"""Programs that were sent to this process lately, so that they need not be sent again. Their names are their content's digests.

The proxy says which program it is about to send (:data:`zerocloud.wire.PROGRAM`); a server that has it says so together with
``100 Continue``, and holds it for that request.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack

from swift.common.concurrency import tpool

from zerocloud.objectquery.workspace import Workspace, is_full, read_only


class Programs:
    """Files without names in the system's temporary directory: a device of Swift's stays free to be unmounted."""

    def __init__(self, most: int, warn: Callable[[str], None]) -> None:
        """``most`` bytes are kept at a time; 0 keeps none."""
        self._most = most
        self._warn = warn
        self._files: OrderedDict[str, io.FileIO] = OrderedDict()
        self._size = 0

    def find(self, digest: str, stack: ExitStack) -> io.FileIO | None:
        """The program, open for reading; ``stack`` closes it. None if it is not here."""
        kept = self._files.get(digest)
        if kept is None:
            return None
        self._files.move_to_end(digest)
        return stack.enter_context(read_only(kept))

    def keep(self, digest: str, program: io.FileIO) -> None:
        """Keep a copy; those that were not asked for longest go to make room for it."""
        size = os.fstat(program.fileno()).st_size
        if digest in self._files or size > self._most:
            return
        try:
            copy: io.FileIO = tpool.execute(_copy, program)
        except OSError as error:
            self._warn(f"a program is not kept: {error}{' (in the temporary directory)' if is_full(error) else ''}")
            return
        if digest in self._files:  # another request was faster
            copy.close()
            return
        self._files[digest] = copy
        self._size += size
        while self._size > self._most:
            _, oldest = self._files.popitem(last=False)
            self._size -= os.fstat(oldest.fileno()).st_size
            oldest.close()


def _copy(program: io.FileIO) -> io.FileIO:
    with read_only(program) as source:  # a position of its own
        copy = Workspace(tempfile.gettempdir()).file()
        try:
            shutil.copyfileobj(source, copy)
        except BaseException:
            copy.close()
            raise
        return copy
