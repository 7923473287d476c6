"""The service's options: one command line, read into one frozen value."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from zerocloud.zerovm.service.compiling import CompileLimits
from zerocloud.zerovm.service.pools import DEFAULT_POOLS, Sizes, parse_pools


@dataclass(frozen=True)
class Options:
    """How a service is run. Times are in seconds, sizes in bytes.

    ``user`` is whose rights sessions have where the service starts as root; ``callers`` owns the socket, and its processes,
    root's and the starter's may connect. ``linger`` ends the service that long after its last connection.
    """

    socket: str
    cache: str
    cache_bytes: int = 4 << 30
    pools: dict[str, Sizes] = field(default_factory=lambda: parse_pools(DEFAULT_POOLS))
    user: str = "nobody"
    callers: str | None = None
    linger: float | None = None
    log: str | None = None
    log_bytes: int = 64 << 20
    background: bool = False
    require_walls: bool = False
    connections: int = 1024
    descriptors: int = 4096
    patience: float = 5.0
    nice: int = 5
    spares: int = 2
    daemons: int = 8
    daemon_idle: float = 3600.0
    compiling: CompileLimits = field(default_factory=CompileLimits)


def default_cache() -> str:
    """Where compiled modules are kept unless an option says otherwise: per user (XDG), root's in /var/cache."""
    if os.geteuid() == 0:
        return "/var/cache/zerocloud/modules"
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "zerocloud", "modules")


def parse_options(arguments: Sequence[str]) -> Options:
    """Read ``SOCKET [options]``. Exits with a usage message on a mistake."""
    parser = _parser()
    read = parser.parse_args(arguments)
    limits = CompileLimits(
        seconds=read.compile_seconds,
        memory=read.compile_memory,
        program=read.program_bytes,
        parallel=read.compile_parallel,
    )
    names = {name: getattr(read, name) for name in Options.__dataclass_fields__ if hasattr(read, name)}
    names["cache"] = read.cache or default_cache()
    return Options(**names, compiling=limits)


def _parser() -> argparse.ArgumentParser:
    limits = CompileLimits()
    parser = argparse.ArgumentParser(prog="zerovm --serve", description="Run sessions for the callers of a Unix socket.")
    add = parser.add_argument
    add("socket", metavar="SOCKET", help="where to listen; an older socket there is taken over")
    add("--cache", metavar="DIR", help=f"compiled modules are kept here (default: {default_cache()})")
    add(
        "--cache-bytes",
        metavar="N",
        type=_positive,
        default=Options.cache_bytes,
        help="its size; the oldest go (default: %(default)s)",
    )
    add("--pools", metavar="SPEC", type=_pools, default=DEFAULT_POOLS, help="admission pools (default: %(default)s)")
    add(
        "--user",
        metavar="NAME",
        default=Options.user,
        help="whose rights sessions get, when started as root (default: %(default)s)",
    )
    add("--callers", metavar="NAME", help="whose processes may call (default: the starter's own); root always may")
    add("--linger", metavar="SECONDS", type=_seconds, help="end this long after the last connection (default: stay)")
    add("--log", metavar="FILE", help="append the log here (default: standard error)")
    add("--log-bytes", metavar="N", type=_positive, default=Options.log_bytes, help="its size; the oldest go (%(default)s)")
    add("--background", action="store_true", help="detach; the command ends when the service is ready")
    add("--require-walls", action="store_true", help="refuse to start where this kernel lacks a wall")
    add("--connections", metavar="N", type=_positive, default=Options.connections, help="at a time (default: %(default)s)")
    add("--descriptors", metavar="N", type=_positive, default=Options.descriptors, help="in a request (default: %(default)s)")
    add(
        "--patience",
        metavar="SECONDS",
        type=_seconds,
        default=Options.patience,
        help="for a frame to come (default: %(default)s)",
    )
    add("--nice", metavar="N", type=int, choices=range(20), default=Options.nice, help="of sessions (default: %(default)s)")
    add("--daemons", metavar="N", type=_positive, default=Options.daemons, help="frozen guests (default: %(default)s)")
    add(
        "--daemon-idle",
        metavar="SECONDS",
        type=_seconds,
        default=Options.daemon_idle,
        help="until one unused goes (%(default)s)",
    )
    add("--spares", metavar="N", type=_count, default=Options.spares, help="processes ahead of need (default: %(default)s)")
    add(
        "--compile-seconds",
        metavar="N",
        type=_positive,
        default=limits.seconds,
        help="CPU time of a compile (default: %(default)s)",
    )
    add("--compile-memory", metavar="BYTES", type=_positive, default=limits.memory, help="of a compile (default: %(default)s)")
    add(
        "--compile-parallel",
        metavar="N",
        type=_positive,
        default=limits.parallel,
        help="compiles at a time (default: %(default)s)",
    )
    add("--program-bytes", metavar="N", type=_positive, default=limits.program, help="size of a program (default: %(default)s)")
    return parser


def _pools(text: str) -> dict[str, Sizes]:
    try:
        return parse_pools(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number, 1 or more")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected seconds, 0 or more")
    return seconds
