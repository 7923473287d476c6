"""From what happened to a guest to the end state, text and codes of its report (executor contract, sections 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from errno import EFAULT, EINTR, EIO, ENOEXEC, ENOMEM

from zerocloud.zerovm.errors import ChannelError
from zerocloud.zerovm.hostchannel import HostChannel
from zerocloud.zerovm.states import EndState
from zerocloud.zrt.errors import ExportError, GuestRefused, GuestTrap, OutOfFuel, OutOfMemory, ZrtError

MAXIMUM_FRAMES = 20
"""Functions of a backtrace that the report names; the innermost come first."""


@dataclass(frozen=True)
class Ending:
    """How a guest ended. ``text`` is the report's state; ``retcode`` the guest's own code, ``exit_code`` the process's."""

    state: EndState
    detail: str = ""
    retcode: int = 0
    exit_code: int = 0

    @property
    def text(self) -> str:
        """The state text of the report."""
        if self.state is EndState.INVALID:
            return self.detail
        return f"{self.state.value}: {self.detail}" if self.detail else self.state.value

    @property
    def complete(self) -> bool:
        """Whether the guest ended by itself, so that what it wrote is all that it would write."""
        return self.state in (EndState.EXITED, EndState.OUTPUT_LIMIT, EndState.READ_LIMIT)


def observe(run: Callable[[], int]) -> Ending:
    """Call ``run``, which builds or runs a guest and gives its exit code, and say how that went."""
    try:
        return Ending(EndState.EXITED, retcode=run())
    except OutOfFuel as error:
        return Ending(EndState.OUT_OF_FUEL, _trapped(error), exit_code=EINTR)
    except GuestTrap as error:
        return Ending(EndState.TRAPPED, _trapped(error), exit_code=EINTR)
    except OutOfMemory as error:
        return Ending(EndState.OUT_OF_MEMORY, str(error), exit_code=ENOMEM)
    except MemoryError:
        return Ending(EndState.OUT_OF_MEMORY, "the host has no more memory for this session", exit_code=ENOMEM)
    except GuestRefused as error:
        return Ending(EndState.REFUSED, str(error), exit_code=ENOEXEC)
    except ExportError as error:
        return Ending(EndState.INTERNAL, str(error), exit_code=EIO)
    except ZrtError as error:  # its configuration or an image
        return Ending(EndState.INVALID, str(error), exit_code=EFAULT)
    except ChannelError as error:
        return channel_ending(error)


def channel_ending(error: ChannelError) -> Ending:
    """A channel failed the session."""
    return Ending(error.end, error.text.removeprefix(f"{error.end.value}: "), exit_code=error.errno)


def limited(ending: Ending, channels: Iterable[HostChannel]) -> Ending:
    """The ending of a guest that failed after a limit was hit names the limit; success is success."""
    if ending.state is not EndState.EXITED or not ending.retcode:
        return ending
    for channel in channels:
        if channel.limit_hit is not None:
            line = channel.line
            limits = (
                (line.gets, "reads", line.get_size)
                if channel.limit_hit is EndState.READ_LIMIT
                else (line.puts, "writes", line.put_size)
            )
            detail = "{} is limited to {} {} and {} bytes".format(channel.alias, *limits)
            return Ending(channel.limit_hit, detail, retcode=ending.retcode)
    return ending


def _trapped(error: GuestTrap) -> str:
    frames = error.backtrace[:MAXIMUM_FRAMES]
    more = ["…"] if len(error.backtrace) > len(frames) else []
    return f"{error.message} at {' < '.join([*frames, *more])}" if frames else error.message
