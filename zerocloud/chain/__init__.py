"""Jobs whose answers are jobs: the filter ``job_chain``, left of ``proxy_query`` (see ``filter``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swift.common.registry import register_swift_info

from .filter import JobChain
from .settings import Settings

__all__ = ["JobChain", "Settings", "filter_factory"]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], JobChain]:
    """The paste entry point ``job_chain``. Raises ConfigurationError."""
    settings = Settings.read({**global_conf, **local_conf})
    register_swift_info(
        "job_chain",
        chain_limit=settings.limit,
        chain_timeout=settings.timeout,
        max_map_size=settings.maximum_map,
    )
    return lambda application: JobChain(application, settings)
