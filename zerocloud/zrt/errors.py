"""How the world of a guest can fail to come about, and how a guest can end other than by exiting.

::

    ZrtError
    ├── NvramError      the guest's configuration can't be read or written
    ├── WorldError      the world can't be built: a bad alias, mount or limit
    │   └── ImageError  an archive can't be mounted: damaged, hostile, or of a kind not supported
    ├── GuestRefused    the module can't be a guest: it imports what is not offered, or has no entry point
    ├── OutOfMemory     the session's memory limit does not hold the guest
    ├── GuestTrap       the guest broke a rule of WebAssembly and was stopped
    │   └── OutOfFuel   it used up its instructions
    └── ExportError     the guest exited, but an archive that it was to leave could not be written

A guest that exits, with whatever code, is none of these. Anything else that a channel raises, :class:`OSError` with an errno
aside, ends the guest and comes out of :meth:`zerocloud.zrt.engine.Guest.run` as it was raised.
"""

from __future__ import annotations

MAX_MESSAGE = 1000


def printable(text: str, limit: int = MAX_MESSAGE) -> str:
    """A text with what guests and archives chose in it, as at most ``limit`` letters of one line that a terminal may show."""
    half = (limit - 1) // 2
    cut = text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"
    return "".join(letter if letter.isprintable() else "?" for letter in cut)


class ZrtError(Exception):
    """The base of all; ``str()`` is one sentence for the user, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class NvramError(ZrtError):
    """NVRAM text that breaks the grammar or a limit (executor contract, section 8). The text names the line."""


class WorldError(ZrtError):
    """A channel, mount or limit that the guest's world can't be built with."""


class ImageError(WorldError):
    """An archive that can't be mounted. The text names the offset or the member, and the limit where one was hit."""


class GuestRefused(ZrtError):
    """A module that is valid WebAssembly but can't run here."""


class OutOfMemory(ZrtError):
    """The session's memory limit is too small for the guest's memory and files, or the host has no more to give."""


class GuestTrap(ZrtError):
    """The guest was stopped by WebAssembly itself.

    ``code`` is wasmtime's name of the trap in lower case (``unreachable``, ``stack_overflow``, ``memory_out_of_bounds`` …),
    ``backtrace`` the guest's functions, innermost first.
    """

    def __init__(self, code: str, message: str, backtrace: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.backtrace = code, str(self), backtrace


class OutOfFuel(GuestTrap):
    """The guest executed all the instructions that ``Fuel`` allowed."""


class ExportError(ZrtError):
    """The archive of a ``wo`` mount could not be written into its channel."""
