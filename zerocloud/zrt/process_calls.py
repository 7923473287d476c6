"""WASI: arguments, environment, clocks, random bytes, exit, and the sockets that there are not."""

from __future__ import annotations

from collections.abc import Sequence

from .abi import Errno, WasiError
from .calls import Calls, GuestExit


class ProcessCalls(Calls):
    """The functions of the process."""

    def args_sizes_get(self, count: int, size: int) -> None:
        """How many arguments, and how many bytes."""
        self._put_sizes(self.args, count, size)

    def args_get(self, pointers: int, buffer: int) -> None:
        """The arguments, each closed by NUL."""
        self._put_strings(self.args, pointers, buffer)

    def environ_sizes_get(self, count: int, size: int) -> None:
        """How many variables, and how many bytes."""
        self._put_sizes(self.env, count, size)

    def environ_get(self, pointers: int, buffer: int) -> None:
        """The variables as ``name=value``, each closed by NUL."""
        self._put_strings(self.env, pointers, buffer)

    def _put_sizes(self, strings: Sequence[bytes], count: int, size: int) -> None:
        self.memory.check(count, 4)
        self.memory.check(size, 4)
        self.memory.put_u32(count, len(strings))
        self.memory.put_u32(size, sum(map(len, strings)) + len(strings))

    def _put_strings(self, strings: Sequence[bytes], pointers: int, buffer: int) -> None:
        self.memory.check(pointers, 4 * len(strings))
        self.memory.check(buffer, sum(map(len, strings)) + len(strings))
        for string in strings:
            self.memory.put_u32(pointers, buffer)
            self.memory.span(buffer, len(string) + 1)[:] = string + b"\0"
            pointers, buffer = pointers + 4, buffer + len(string) + 1

    def clock_res_get(self, clock: int, out: int) -> None:
        """A clock's resolution in nanoseconds."""
        self.memory.check(out, 8)
        self.memory.put_u64(out, self.clock.resolution(clock))

    def clock_time_get(self, clock: int, precision: int, out: int) -> None:
        """A clock's time in nanoseconds."""
        self.memory.check(out, 8)
        self.memory.put_u64(out, self.clock.query(clock))

    def random_get(self, buffer: int, size: int) -> None:
        """Random bytes."""
        self.entropy.fill(self.memory.span(buffer, size))

    def sched_yield(self) -> None:
        """Nothing: there is no other thread."""

    def proc_exit(self, code: int) -> None:
        """End, with a code that is an int of C."""
        raise GuestExit(code - (1 << 32) if code >> 31 else code)

    def proc_raise(self, signal: int) -> None:
        """End as by a signal, with a shell's code for it."""
        raise GuestExit(128 + (signal & 127))

    def sock_accept(self, fd: int, flags: int, out: int) -> None:
        """Refused: no descriptor is a socket."""
        self._refuse_socket(fd)

    def sock_recv(self, fd: int, vectors: int, count: int, flags: int, out: int, out_flags: int) -> None:
        """Refused."""
        self._refuse_socket(fd)

    def sock_send(self, fd: int, vectors: int, count: int, flags: int, out: int) -> None:
        """Refused."""
        self._refuse_socket(fd)

    def sock_shutdown(self, fd: int, how: int) -> None:
        """Refused."""
        self._refuse_socket(fd)

    def _refuse_socket(self, fd: int) -> None:
        self.table.get(fd)
        raise WasiError(Errno.NOTSOCK)
