"""What can end a session before or instead of the program's own end.

::

    ExecutorError            carries the exit code of the process and the end state
      ManifestError          a manifest that breaks a rule, or names what can't be opened
      ProgramError           the program is refused by the validator
      CancelledError         somebody wants it to stop
      NetworkError           peers or the name server did not answer in time
      ChannelError           found while the session ran
        ChannelCorrupted     the digest of a network channel differs from what was received
        PeerLost             a network channel ended without its end message
"""

from __future__ import annotations

import errno

from zerocloud.zerovm.states import EndState


class ExecutorError(Exception):
    """The session can't start or go on. ``str()`` is the report's state text (executor contract, section 5).

    ``errno`` becomes the exit code of the process.
    """

    end = EndState.INTERNAL

    def __init__(self, text: str, errno: int) -> None:
        super().__init__(text)
        self.text = text
        self.errno = errno


class ManifestError(ExecutorError):
    """A manifest that can't be used. ``line`` counts from 1; None where no line is to blame, as for a missing key."""

    end = EndState.INVALID

    def __init__(self, line: int | None, text: str, errno: int = errno.EFAULT) -> None:
        super().__init__(text, errno)
        self.line = line

    def __str__(self) -> str:
        return f"MANIFEST {self.line}: {self.text}" if self.line is not None else self.text


class ProgramError(ExecutorError):
    """The program is not one that can be run: ENOEXEC."""

    end = EndState.REFUSED


class CancelledError(ExecutorError):
    """A signal came before the guest had begun."""

    end = EndState.CANCELLED


class NetworkError(ExecutorError):
    """The network channels could not be connected."""

    end = EndState.PEER_LOST


class ChannelError(ExecutorError):
    """A channel failed in a way that fails the session, whatever the program made of it."""

    end = EndState.INTERNAL


class ChannelCorrupted(ChannelError):
    """What was received is not what was sent."""

    end = EndState.CORRUPTED

    def __init__(self, alias: str) -> None:
        super().__init__(f"{self.end.value}: {alias} corrupted upon eof", errno.EPIPE)


class PeerLost(ChannelError):
    """The other side of a network channel is gone."""

    end = EndState.PEER_LOST

    def __init__(self, alias: str) -> None:
        super().__init__(f"{self.end.value}: {alias} has no peer left that answers", errno.EPIPE)
