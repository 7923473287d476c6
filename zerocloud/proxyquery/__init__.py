"""The proxy filter: plans a job, starts its nodes on the storage servers that hold their objects, and gathers the results.

How a request travels, by the names of the modules: ``filter`` recognises it; one of ``ways`` reads it into a ``request``;
``access`` asks who may do what; the system map is planned against ``listing``; ``placement`` finds the servers, ``outline``
lays out the sessions; ``runner`` executes what the ``scheduler`` says, one ``exchange`` for each attempt, with ``sources``
for what has to be sent in a ``tarstream`` and a ``nameservice`` for those that are connected; ``answer`` and ``publish``
take what comes back, ``spool`` keeps what has to wait; ``reply`` tells the client, with the ``story`` of what failed. ``jobs``
are things meanwhile and afterwards: ``job`` is one under way, its record stays; ``accounting`` and ``metrics`` keep count.

In a pipeline it stands to the right of authentication, and to the left of copy, quotas, slo, dlo, versioned_writes, symlink and
encryption, so that what jobs read and write is what their users would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swift.common.registry import register_swift_info
from swift.common.utils import get_logger

import zerocloud

from .filter import ProxyQuery
from .metrics import PREFIX
from .settings import Settings

__all__ = ["ProxyQuery", "Settings", "filter_factory"]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], ProxyQuery]:
    """The paste entry point ``proxy_query``. Raises ConfigurationError."""
    section = {**global_conf, **local_conf}
    settings = Settings.read(section)
    logger = get_logger(section, log_route="proxy-query", statsd_tail_prefix=PREFIX)
    register_swift_info(
        "zerocloud",
        version=zerocloud.__version__,
        timeout=settings.timeout,
        max_timeout=settings.maximum_timeout,
        max_map_size=settings.maximum_map,
        max_nodes=settings.maximum_nodes,
        max_input=settings.maximum_input,
        max_output=settings.maximum_output,
        system_images=list(settings.system_images),
        network=settings.network_type,
        keep_jobs=settings.keep_jobs,
        keep_jobs_time=settings.keep_jobs_time,
        interactive_timeout=settings.interactive_timeout,
        max_connections=settings.maximum_connections,
        max_memory=settings.maximum_memory,
        max_retries=settings.maximum_retries,
    )
    return lambda application: ProxyQuery(application, settings, logger)
