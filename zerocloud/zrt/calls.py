"""What all of WASI's functions share: the guest's memory, its descriptors, its tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .abi import FILESTAT, Errno, TimeFlag, WasiError
from .clock import Clock
from .descriptors import DescriptorTable
from .entropy import Entropy
from .memory import Memory
from .nodes import Node
from .tree import Tree

DEVICE = 1
"""The number that stat gives for the one file system that there is."""
MAX_STRINGS = 1 << 20
"""Bytes of arguments, and of environment."""


class GuestExit(BaseException):
    """The guest called proc_exit. Not an error: it leaves through every handler."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Calls:
    """The state of one guest's system calls.

    In the subclasses each method is one function of the specification and takes its parameters as unsigned numbers. It returns
    nothing for success, and raises WasiError, OSError or MemoryError for an errno. Whatever it writes into the guest's memory
    is checked before anything else happens.
    """

    def __init__(
        self,
        tree: Tree,
        clock: Clock,
        entropy: Entropy,
        args: Sequence[bytes] = (),
        env: Mapping[bytes, bytes] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.tree, self.clock, self.entropy = tree, clock, entropy
        self.memory = memory or Memory()
        self.table = DescriptorTable()
        self.set_strings(args, env or {})

    def set_strings(self, args: Sequence[bytes], env: Mapping[bytes, bytes]) -> None:
        """Set arguments and environment; those of a fork's child replace its parent's."""
        self.args = tuple(args)
        self.env = tuple(name + b"=" + value for name, value in env.items())

    def put_stat(self, node: Node, out: int) -> None:
        """Write a filestat."""
        self.memory.check(out, FILESTAT.size)
        self.memory.put(
            FILESTAT, out, DEVICE, node.inode, node.kind, node.links, node.size, node.accessed, node.modified, node.changed
        )

    def set_times(self, node: Node, accessed: int, modified: int, flags: int) -> None:
        """Set a node's times as fst_flags says. Raises WasiError(INVAL)."""
        if flags > TimeFlag.ALL or flags & 3 == 3 or flags & 12 == 12:
            raise WasiError(Errno.INVAL)
        now = self.clock.stamp()
        if flags & (TimeFlag.ATIM | TimeFlag.ATIM_NOW):
            node.accessed = accessed if flags & TimeFlag.ATIM else now
        if flags & (TimeFlag.MTIM | TimeFlag.MTIM_NOW):
            node.modified = modified if flags & TimeFlag.MTIM else now
        node.changed = now
