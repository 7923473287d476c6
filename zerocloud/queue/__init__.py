"""Message queues on Swift's containers: the filter ``zero_queue``.

How a request travels, by the names of the modules: ``filter`` recognises it; ``request`` reads its path and parameters;
``handlers`` has a function for each, for which ``access`` asks first; ``queues`` and ``messages`` do it, by requests to
Swift that ``store`` makes; the ``splitter`` says who may change a message; ``answer`` is what the client gets. ``names``
says what is what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from swift.common.registry import register_swift_info
from swift.common.storage_policy import POLICIES, REPL_POLICY
from swift.common.utils import get_logger

from zerocloud.configuration import ConfigurationError

from .filter import ZeroQueue
from .settings import Settings

__all__ = ["Settings", "ZeroQueue", "filter_factory"]


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], ZeroQueue]:
    """The paste entry point ``zero_queue``. Raises ConfigurationError."""
    section = {**global_conf, **local_conf}
    settings = Settings.read(section)
    policy = _policy(settings.storage_policy)
    logger = get_logger(section, log_route="zero-queue")
    register_swift_info(
        "zero_queue",
        max_message_size=settings.maximum_message,
        max_message_ttl=settings.maximum_message_ttl,
        max_message_listing_limit=settings.maximum_listing,
        max_claim_limit=settings.maximum_claim,
        max_claim_ttl=settings.maximum_claim_ttl,
    )
    return lambda application: ZeroQueue(application, settings, policy, logger)


def _policy(wanted: str) -> str:
    """The name of the storage policy of new queues: one with whole copies, since claims read the newest of them."""
    if wanted and POLICIES.get_by_name(wanted) is None:
        raise ConfigurationError(f"queue_storage_policy = {wanted}: the cluster has no storage policy of this name")
    candidates = [POLICIES.get_by_name(wanted)] if wanted else [POLICIES.default, *POLICIES]
    for policy in candidates:
        if policy.policy_type == REPL_POLICY:
            return str(policy.name)
    raise ConfigurationError(f"queue_storage_policy = {wanted}: expected a storage policy that keeps whole copies")
