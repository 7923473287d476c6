"""Start the service: everything that needs rights or files is made here, before the walls go up."""

from __future__ import annotations

import gc
import os
import resource
import socket
from collections.abc import Sequence

from zerocloud.zerovm.service.cache import Cache, CacheError
from zerocloud.zerovm.service.callbacks import reserve_callbacks
from zerocloud.zerovm.service.compiler import Compiler
from zerocloud.zerovm.service.confinement import UNMAPPED_USER
from zerocloud.zerovm.service.daemons import Daemons
from zerocloud.zerovm.service.family import Family
from zerocloud.zerovm.service.kernel import set_name
from zerocloud.zerovm.service.listener import Listener, identity, user_id
from zerocloud.zerovm.service.log import Log, open_log
from zerocloud.zerovm.service.loop import Loop
from zerocloud.zerovm.service.modules import Modules
from zerocloud.zerovm.service.nursery import Nursery
from zerocloud.zerovm.service.options import Options, parse_options
from zerocloud.zerovm.service.process import NAMES
from zerocloud.zerovm.service.selfcheck import missing, probe
from zerocloud.zerovm.service.service import Service
from zerocloud.zerovm.service.sessions import Workshop
from zerocloud.zerovm.service.tasks import Heritage, RunGuest
from zerocloud.zerovm.service.usher import LISTENER_VARIABLE, READY_VARIABLE, Usher
from zerocloud.zerovm.service.walls import Walls
from zerocloud.zerovm.service.zygote import Zygote
from zerocloud.zerovm.session import run_session
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
        log = open_log(options.log, options.log_bytes)
    except OSError as error:
        Log(2).write(f"log {options.log}: {error.strerror}")
        return _FAILURE
    try:
        service = _prepare(options, run or run_session, log, inherited)
    except (OSError, CacheError, LookupError, WallsMissing) as error:
        log.write(f"can't start: {error}")
        return _FAILURE
    set_name(NAMES["service"])
    for descriptor in ready:
        os.write(descriptor, b"1")
        os.close(descriptor)
    log.write(f"serving at {options.socket}")
    service.run()
    log.write("ended")
    return 0


class WallsMissing(Exception):
    """Walls are required that don't stand here."""


def _prepare(options: Options, run: RunGuest, log: Log, inherited: str | None) -> Service:
    _raise_descriptor_limit()
    user = user_id(options.user) if os.geteuid() == 0 else None
    if user == 0:
        raise LookupError("--user root: sessions must not have root's rights")
    callers = user_id(options.callers) if options.callers else os.geteuid()
    may_call = frozenset((0, os.geteuid(), callers))
    if options.require_walls and (without := missing(probe(user))):
        raise WallsMissing(f"required walls are missing: {without}")
    workshop, walls = _furnish(options, run, log, user)
    listener = _listen(options, callers, inherited)
    usher = Usher.start(options.socket, identity(options.socket), log)
    enclosure = walls.around_service(user, workshop.cache.directory)
    without = missing(enclosure.walls)
    log.write(f"walls missing: {without}" if without else "all walls stand")
    if options.require_walls and without:
        raise WallsMissing(f"required walls are missing: {without}")
    gc.collect()
    gc.freeze()  # a collection in the zygote or its children would copy every page that it looks at
    workshop.zygote.start()
    unmapped = {UNMAPPED_USER} if enclosure.user_namespace else set()
    return Service(options, workshop, listener, usher, may_call | unmapped)


def _furnish(options: Options, run: RunGuest, log: Log, user: int | None) -> tuple[Workshop, Walls]:
    """Make all that sessions share."""
    cache = Cache(options.cache, options.cache_bytes, user)
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    loop, walls = Loop(), Walls()
    engines = {fuel: make_engine(fuel=fuel) for fuel in (False, True)}
    heritage = Heritage(engines, walls, run, cache.directory, null, options.nice, reserve_callbacks())
    family = Family()
    zygote = Zygote(heritage, options.compiling, family)
    modules = Modules(loop, cache, Compiler(loop, log, cache, options.compiling, zygote, family))
    nursery = Nursery(loop, log, zygote, family, options.spares)
    daemons = Daemons(loop, log, family, options.daemons, options.daemon_idle)
    return Workshop(loop, log, cache, modules, zygote, nursery, daemons, family, null), walls


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
