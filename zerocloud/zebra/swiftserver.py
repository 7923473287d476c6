"""Several of Swift's WSGI servers in one process: the one place that knows how Swift serves.

Swift's own ``run_server`` replaces eventlet's hub and so serves one application per process. :func:`serve` does what it does,
for many: Swift's in-process functional tests work the same way. Besides what third-party code may rely on it needs
``init_request_processor``, ``RestrictedGreenPool`` and ``SwiftHttpProtocol``, which have no promise of staying; tested with
Swift 2.38. Nothing of Swift's is changed, and every name is imported late: modules that read ``swift.conf`` when they are
imported must not be before :func:`preload`.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from zerocloud.zebra import upkeep
from zerocloud.zebra.serverlog import redirect_all

# Imported before the fork, so that the processes share their pages.
_PRELOADED = (
    *("swift.proxy.server", "swift.account.server", "swift.container.server", "swift.obj.server", "swift.common.wsgi"),
    *(f"swift.common.middleware.{name}" for name in ("catch_errors", "gatekeeper", "healthcheck", "proxy_logging")),
    *(f"swift.common.middleware.{name}" for name in ("listing_formats", "bulk", "tempurl", "ratelimit", "tempauth")),
    *(f"swift.common.middleware.{name}" for name in ("s3api.s3api", "staticweb", "copy", "container_quotas")),
    *(f"swift.common.middleware.{name}" for name in ("account_quotas", "slo", "dlo", "versioned_writes", "symlink", "recon")),
    *(
        "swift.container.updater",
        "zerocloud.zebra.cache",
        "zerocloud.console.filter",
        "zerocloud.proxyquery",
        "zerocloud.objectquery",
    ),
)


@dataclass(frozen=True)
class Server:
    """One server to run: its configuration file, and the socket where it listens."""

    name: str
    configuration: Path
    listener: socket.socket

    @property
    def kind(self) -> str:
        """``proxy``, ``account``, ``container`` or ``object``."""
        return self.name.partition("-")[0]


def preload(swift_dir: Path) -> None:
    """Import Swift with its ``swift.conf`` in ``swift_dir``; once in a process."""
    utils = import_module("swift.common.utils")
    utils.set_swift_dir(str(swift_dir))
    for name in _PRELOADED:
        import_module(name)


def serve(servers: Sequence[Server]) -> None:
    """Serve all of them in this process, for ever. Raises what Swift raises for a configuration that it can't use."""
    concurrency: Any = import_module("swift.common.concurrency")
    utils: Any = import_module("swift.common.utils")
    # Swift stamps its logs and answers in UTC, and some of it uses the local time zone.
    os.environ["TZ"] = "UTC+0"
    time.tzset()
    os.umask(0o077)
    utils.monkey_patch()
    concurrency.hubs.use_hub(utils.get_hub())
    # Eventlet's warning about a choice that S3 clients need: they want "ETag", not "Etag".
    warnings.filterwarnings("ignore", message="capitalize_response_headers is disabled")
    threads = [_start(server, concurrency) for server in servers]
    threads += [
        concurrency.spawn(upkeep.update_accounts, server.configuration) for server in servers if server.kind == "container"
    ]
    redirect_all()
    for thread in threads:
        thread.wait()


def _start(server: Server, concurrency: Any) -> Any:
    wsgi: Any = import_module("swift.common.wsgi")
    protocol: Any = import_module("swift.common.http_protocol")
    constraints: Any = import_module("swift.common.constraints")
    utils: Any = import_module("swift.common.utils")
    application, configuration, _, _ = wsgi.init_request_processor(str(server.configuration), f"{server.kind}-server")
    return concurrency.spawn(
        concurrency.wsgi.server,
        concurrency.greenio.GreenSocket(server.listener),
        application,
        utils.NullLogger(),
        custom_pool=wsgi.RestrictedGreenPool(size=int(configuration.get("max_clients", "1024"))),
        protocol=protocol.SwiftHttpProtocol,
        socket_timeout=float(configuration.get("client_timeout") or 60),
        capitalize_response_headers=False,
        url_length_limit=constraints.MAX_REQUEST_LINE,
    )
