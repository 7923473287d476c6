"""The listening sockets of a Zebra, bound by the supervisor before anything is forked.

A port that nobody asked for by name is the kernel's choice, and kept in ``zebra.json``: a ring holds ports. If somebody else
has taken one meanwhile, another is chosen, and the rings are told.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack

from zerocloud.zebra.errors import PortTaken, SettingsError
from zerocloud.zebra.settings import Settings, address_of

BACKLOG = 4096


def bind(settings: Settings, wanted: int | None, stack: ExitStack) -> dict[str, socket.socket]:
    """Sockets that listen for every server, closed with ``stack``. ``wanted`` is the port that the user gave for the proxy.

    Raises PortTaken, SettingsError (a port that needs root).
    """
    sockets: dict[str, socket.socket] = {}
    kept = dict(settings.ports)
    if wanted is not None:
        kept["proxy"] = wanted
    for server in settings.servers:
        address = address_of(server)
        if server == "proxy" and wanted is not None:
            sockets[server] = _listen_where_told(address, wanted)
        else:
            sockets[server] = _listen(address, kept.get(server, 0))
        stack.enter_context(contextlib.closing(sockets[server]))
    return sockets


def numbers(sockets: Mapping[str, socket.socket]) -> dict[str, int]:
    """The port of each."""
    return {server: bound.getsockname()[1] for server, bound in sockets.items()}


def _listen_where_told(address: str, port: int) -> socket.socket:
    try:
        return _bound(address, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} of {address} is taken by another process; give another --port, or none") from error
        if error.errno == errno.EACCES:
            raise SettingsError(f"--port {port}: only root may listen there; give a port from 1024 on") from error
        raise


def _listen(address: str, port: int) -> socket.socket:
    try:
        return _bound(address, port)
    except OSError as error:
        if not port or error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        return _bound(address, 0)


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # As Swift sets them on the sockets it binds itself; connections inherit both.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
