"""What must go on beside serving: containers tell their accounts how much they hold.

A cluster runs ``swift-container-updater`` for that; without it ``swift stat`` would show no objects and account quotas would
never be reached. Here it is a green thread of the node whose containers it reads, so it lives and dies with the node. Tested
with Swift 2.38, whose ``ContainerUpdater`` has no promise of staying.
"""

from __future__ import annotations

import logging
import random
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

SECTION = "container-updater"
INTERVAL_SECONDS = "10"
EXPIRING = ".expiring_objects"
"""The account of Swift's own queue of objects that expire: a hundred containers a day, in which each such object is in one."""
EXPIRING_SECONDS = 600.0
"""Nobody looks at its totals, and objects with a time to live come by the dozen: it is told so seldom."""

logger = logging.getLogger(SECTION)


def update_accounts(configuration: Path) -> NoReturn:
    """Read all containers of the node again and again, and tell their accounts what has changed."""
    concurrency: Any = import_module("swift.common.concurrency")
    utils: Any = import_module("swift.common.utils")
    updaters: Any = import_module("swift.container.updater")
    updater = updaters.ContainerUpdater(utils.readconf(str(configuration), SECTION))
    while True:
        # Not all nodes at the same moment.
        concurrency.sleep(updater.interval * random.uniform(0.5, 1))  # noqa: S311 (no secret)
        try:
            updater.run_once()
            quieten(updater, time.time())
        except (Exception, concurrency.Timeout):
            # The edge of this thread: one sweep that fails, on a full disk for instance, must not be the last.
            logger.exception("a sweep of the containers failed; the next follows")


def quieten(updater: Any, now: float) -> None:
    """After a sweep that has told the queue's account, leave that out for a while."""
    if updater.account_suppressions.get(EXPIRING, 0) <= now:
        updater.account_suppressions[EXPIRING] = now + EXPIRING_SECONDS
