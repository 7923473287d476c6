"""Has the storage servers validate and compile a program that is about to be stored there (HTTP API, section 15)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any, TypeVar

from swift.common.concurrency import GreenPile, Timeout
from swift.common.storage_policy import POLICIES

from zerocloud import wire
from zerocloud.swiftadapter import StorageConnection
from zerocloud.sysmap import SwiftPath

from .cluster import Cluster
from .exchange import GRACE
from .intake import Kept
from .tarstream import Member, gathered, stream
from .verdict import CONTINUE

PASSED = "0"
UNKNOWN = "no storage server could validate it now"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Compilers:
    """The servers on which an object of a storage policy lies, or will."""

    cluster: Cluster
    path: SwiftPath
    policy: int
    job: str
    transaction: str

    def validate(self, program: Kept) -> str:
        """Have all of them compile it at once: why it can't be run, or nothing if at least one of them can run it.

        Whether a module is valid is the same everywhere, whether a server has the time to find out is not.
        """
        ring = POLICIES.get_object_ring(self.policy, self.cluster.settings.swift_dir)
        partition, devices = ring.get_nodes(self.path.account, self.path.container, self.path.object)
        usable = [device for device in devices if not self.cluster.limits.limited(device)]
        pile = GreenPile(max(1, len(usable)))
        for device in usable:
            pile.spawn(self._ask, device, partition, program)
        verdicts = [verdict for verdict in pile if verdict is not None]
        return "" if "" in verdicts else next(iter(verdicts), UNKNOWN)

    def _ask(self, device: Mapping[str, Any], partition: int, program: Kept) -> str | None:
        """One server's verdict, None if it has none. The edge of the thread."""
        try:
            return self._converse(device, partition, program)
        except (OSError, HTTPException, Timeout) as error:
            self.cluster.logger.warning("validating %s on %s:%s: %s", self.path.path, device["ip"], device["port"], error)
            return None

    def _converse(self, device: Mapping[str, Any], partition: int, program: Kept) -> str | None:
        settings = self.cluster.settings
        connect = partial(StorageConnection, device, partition, self.path.path, self._headers())
        connection = _within(settings.connection_timeout, connect)
        try:
            status, headers = _within(settings.admission_timeout + GRACE, connection.interim)
            if status == CONTINUE:
                for piece in gathered(
                    stream([Member(wire.BOOT_MEMBER, program.size, program.chunks)]), settings.network_chunk_size
                ):
                    _within(settings.node_timeout, partial(connection.send, piece))
                connection.finish()
                status, headers = _within(settings.timeout + GRACE, connection.final)
        finally:
            connection.close()
        if status != 200:
            return None
        return "" if headers.get(wire.VALIDATION.lower()) == PASSED else headers.get(wire.ERROR.lower(), UNKNOWN)

    def _headers(self) -> dict[str, str]:
        settings = self.cluster.settings
        return {
            wire.EXECUTE: wire.VALIDATE,
            wire.JOB_ID: self.job,
            wire.POLICY_INDEX: str(self.policy),
            wire.PATIENCE: f"{settings.admission_timeout:.3f}",
            wire.TIMEOUT: str(max(1, math.ceil(settings.timeout))),
            "Content-Type": "application/x-tar",
            "Transfer-Encoding": "chunked",
            "Expect": "100-continue",
            "X-Trans-Id": self.transaction,
            "User-Agent": "zerocloud proxy-query",
        }


def _within(seconds: float, action: Callable[[], Value]) -> Value:
    """Raises Timeout."""
    with Timeout(seconds):
        return action()
