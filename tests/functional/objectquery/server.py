"""A real object server and a real container server with the filter, in one process: ``python -m …server SWIFT_DIR FD FD``."""

import socket
import sys
from pathlib import Path

from swift.common import utils

from zerocloud.zebra.serverlog import open_log
from zerocloud.zebra.swiftserver import Server, serve


def main():
    etc = Path(sys.argv[1])
    open_log(etc.parent / "server.log")
    utils.set_swift_dir(str(etc))
    kinds = zip(("object-1", "container-1"), sys.argv[2:], strict=True)
    serve([Server(name, etc / f"{name}.conf", socket.socket(fileno=int(descriptor))) for name, descriptor in kinds])


if __name__ == "__main__":
    main()
