"""Start the service: everything that needs rights or files is made here, before the walls go up."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Sequence

from zerocloud.zerovm.service.cache import Cache, CacheError
from zerocloud.zerovm.service.child import RunGuest
from zerocloud.zerovm.service.compiler import Compiler
from zerocloud.zerovm.service.listener import Listener, identity, user_id
from zerocloud.zerovm.service.log import Log, open_log
from zerocloud.zerovm.service.loop import Loop
from zerocloud.zerovm.service.modules import Modules
from zerocloud.zerovm.service.options import Options, parse_options
from zerocloud.zerovm.service.service import Service
from zerocloud.zerovm.service.sessions import Workshop
from zerocloud.zerovm.service.usher import LISTENER_VARIABLE, READY_VARIABLE, Usher
from zerocloud.zrt.engine import make_engine

_FAILURE = 1


def serve(arguments: Sequence[str], run: RunGuest | None = None) -> int:
    """``zerovm --serve SOCKET [options]``: the exit code. ``run`` stands in for ``zerocloud.zerovm.session.run_session``."""
    options = parse_options(arguments)
    ready = [int(os.environ.pop(READY_VARIABLE))] if READY_VARIABLE in os.environ else []
    inherited = os.environ.pop(LISTENER_VARIABLE, None)
    if options.background and inherited is None:
        started, ours = os.pipe()
        if os.fork():
            os.close(ours)
            return 0 if os.read(started, 1) else _FAILURE
        os.close(started)
        os.setsid()
        ready.append(ours)
    try:
        log = open_log(options.log)
    except OSError as error:
        Log(2).write(f"log {options.log}: {error.strerror}")
        return _FAILURE
    try:
        service = _prepare(options, run or _run_session(), log, inherited)
    except (OSError, CacheError, LookupError) as error:
        log.write(f"can't start: {error}")
        return _FAILURE
    for descriptor in ready:
        os.write(descriptor, b"1")
        os.close(descriptor)
    log.write(f"serving at {options.socket}")
    service.run()
    log.write("ended")
    return 0


def _run_session() -> RunGuest:
    from zerocloud.zerovm.session import run_session

    return run_session


def _prepare(options: Options, run: RunGuest, log: Log, inherited: str | None) -> Service:
    _raise_descriptor_limit()
    root = os.geteuid() == 0
    user = user_id(options.user) if root else os.geteuid()
    callers = user_id(options.callers) if options.callers else os.geteuid()
    cache = Cache(options.cache, options.cache_bytes, user if root else None)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    loop = Loop()
    compiler = Compiler(loop, log, cache, options.compiling, null, lambda: None)
    engines = {fuel: make_engine(fuel=fuel) for fuel in (False, True)}
    workshop = Workshop(loop, log, cache, Modules(loop, cache, compiler), engines, run, null, options.nice)
    listener = _listen(options, callers, inherited)
    usher = Usher.start(options.socket, identity(options.socket), log)
    return Service(options, workshop, listener, usher, frozenset((0, os.geteuid(), callers)))


def _listen(options: Options, owner: int, inherited: str | None) -> Listener:
    if inherited is not None:
        return Listener(socket.socket(fileno=int(inherited)), options.socket)
    listener = Listener.bind(options.socket, owner)
    try:
        listener.publish()
    except BaseException:
        listener.abandon()
        raise
    return listener


def _raise_descriptor_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
