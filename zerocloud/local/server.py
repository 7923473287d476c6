"""The process: a proxy and a storage server over folders. It ends when whoever started it closes its standard input."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import threading
from pathlib import Path

from swift.common.ring import RingBuilder

from zerocloud.zebra import configuration, serverlog, swiftserver

from .settings import DEVICE, Settings, files

ADDRESS = "127.0.0.1"
BACKLOG = 1024
RINGS = ("account", "container", "object")
TAKEN = 3
"""Exit code where the port is not to be had."""


def main() -> int:
    """Take the settings from the first line of standard input, and print the port when serving."""
    settings = Settings.from_json(sys.stdin.buffer.readline().decode())
    try:
        proxy, storage = _listener(settings.port), _listener(0)
    except OSError as error:
        print(error.strerror, file=sys.stderr)
        return TAKEN
    port = storage.getsockname()[1]
    _write(settings, port)
    told = os.dup(1)
    serverlog.open_log(settings.log)
    swiftserver.preload(settings.etc)
    threading.Thread(target=_end_with_starter, args=[settings.place], daemon=True).start()
    os.write(told, b"%d\n" % proxy.getsockname()[1])
    os.close(told)
    etc = settings.etc
    try:
        swiftserver.serve(
            [
                swiftserver.Server("object", etc / "object-server.conf", storage),
                swiftserver.Server("proxy", etc / "proxy-server.conf", proxy),
            ]
        )
    except Exception:
        logging.exception("the server ended")
        raise
    return 0


def _listener(port: int) -> socket.socket:
    listener = socket.create_server((ADDRESS, port), backlog=BACKLOG)
    listener.setblocking(False)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted there has it, too
    return listener


def _write(settings: Settings, port: int) -> None:
    for folder in (settings.etc, settings.devices / DEVICE, Path(settings.place) / "hidden"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, sections in files(settings, port):
        (settings.etc / name).write_text(configuration.render(sections))
    for ring in RINGS:
        builder = RingBuilder(0, 1, 1)
        place = {"ip": ADDRESS, "port": port, "replication_ip": ADDRESS, "replication_port": port}
        builder.add_dev({"region": 1, "zone": 1, "device": DEVICE, "weight": 1.0, "meta": "", **place})
        builder.rebalance()
        builder.get_ring().save(str(settings.etc / f"{ring}.ring.gz"))


def _end_with_starter(place: str) -> None:
    """In a thread that Swift's patching of threads does not reach, since it began before. Its starter may have been killed."""
    sys.stdin.buffer.read()
    shutil.rmtree(place, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
