"""Inside a session: channels by name, what the session is told, and how an interpreter is warmed up for the next ones.

Everything is plain files as well: ``open("/dev/input")``, ``open("/dev/out/reducer-1", "wb")``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself need not be imported in every session
if TYPE_CHECKING:
    from typing import IO, Any

DEVICES = "/dev"
PATHS = ("/", "/lib/python/site-packages")
"""Where modules are looked for first: beside the script, and where a bundle has what it depends on."""
PRELUDE = 2
"""Arguments of every session that come before its own."""


def inputs() -> list[str]:
    """The names of the peers that send to this node, sorted: each can be given to :func:`input`."""
    return _names("in")


def outputs() -> list[str]:
    """The names of the peers that this node sends to, sorted: each can be given to :func:`output`."""
    return _names("out")


def input(peer: str | None = None, mode: str = "rb") -> IO[Any]:
    """Open the stream from a peer, or the device ``input``."""
    return open(f"{DEVICES}/in/{peer}" if peer else f"{DEVICES}/input", mode)


def output(peer: str | None = None, mode: str = "wb") -> IO[Any]:
    """Open the stream to a peer, or the device ``output``."""
    return open(f"{DEVICES}/out/{peer}" if peer else f"{DEVICES}/output", mode)


def objects() -> list[str]:
    """The paths of the objects of a node with ``each``, in their order."""
    folder = f"{DEVICES}/input"
    names = sorted(os.listdir(folder), key=int) if os.path.isdir(folder) else []
    return [f"{folder}/{name}" for name in names]


def log(*words: object) -> None:
    """Write a line to the standard error, which is told if the node fails."""
    print(*words, file=sys.stderr, flush=True)


class _Environment(dict[str, str]):
    """What the session is told (HTTP API, section 6), as attributes too: ``zvm.env.REQUEST_METHOD``."""

    def __getattr__(self, name: str) -> str:
        return self.get(name, "")


def __getattr__(name: str) -> Any:
    if name == "env":
        return _Environment(os.environ)
    raise AttributeError(name)


def fork() -> int:
    """Freeze this interpreter here. 1 in the session that asks, -1 if it is not wanted; 0 in each that goes on from here.

    These have channels, arguments and an environment of their own: ``sys.argv`` and ``os.environ`` are theirs.
    """
    answer, args, environment = _fork()
    if answer == 0:
        sys.argv[:] = args
        os.environ.clear()
        os.environ.update(environment)
    return answer


def start() -> None:
    """Run this session's arguments as a fresh interpreter would, with a search path that finds more than the library."""
    _run([sys.executable or "python", *sys.argv[1:]], dict(os.environ))


def become() -> None:
    """Freeze this interpreter; every session that goes on from here runs its arguments as :func:`start` would."""
    answer, args, environment = _fork()
    if answer:
        sys.exit(0)
    os.environ.clear()
    os.environ.update(environment)
    _run([args[0], *args[1 + PRELUDE :]], environment)


def _run(args: list[str], environment: dict[str, str]) -> None:
    import _reactor

    sys.path[:0] = [path for path in PATHS if path not in sys.path]
    code = _reactor.run(args, environment)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)  # to clear away what was imported takes longer than most sessions


def _fork() -> tuple[int, list[str], dict[str, str]]:
    import json

    import _host

    state = json.loads(_host.call(b"zerovm.fork"))
    return state["answer"], state.get("args", []), state.get("env", {})


def _names(folder: str) -> list[str]:
    path = f"{DEVICES}/{folder}"
    return sorted(os.listdir(path)) if os.path.isdir(path) else []
