"""Writes the manifest lines of a job's streams. Source: system map, sections 8 and 9; executor contract, section 3."""

from __future__ import annotations

from collections.abc import Sequence

from .connect import Link
from .context import Context
from .plan import Connection, copy_ids


def connections(
    links: Sequence[Link], replicates: Sequence[int], context: Context
) -> tuple[list[list[Connection]], list[list[Connection]]]:
    """For every node the streams that it reads, and those that it writes. ``replicates`` are the nodes' numbers of copies."""
    writer = _Opaque(context) if context.network == "opaque" else _Tcp(context)
    ids = [copy_ids(index + 1, replicate, len(replicates)) for index, replicate in enumerate(replicates)]
    binds: list[list[Connection]] = [[] for _ in replicates]
    connects: list[list[Connection]] = [[] for _ in replicates]
    for link in links:
        sender, receiver = ids[link.sender], ids[link.receiver]
        heard = writer.receiving(receiver, sender)
        said = writer.sending(receiver, sender)
        limits = context.limits
        line = f"{heard},/dev/{link.receiver_device},0,0,{limits.reads},{limits.rbytes},0,0"
        binds[link.receiver].append(Connection(link.receiver_device, sender, line))
        line = f"{said},/dev/{link.sender_device},0,0,0,0,{limits.writes},{limits.wbytes}"
        connects[link.sender].append(Connection(link.sender_device, receiver, line))
    return binds, connects


class _Tcp:
    """Streams between the nodes themselves, all copies with all copies.

    Port 0: the reader takes any. No port: the name server tells the writer.
    """

    def __init__(self, context: Context) -> None:
        self._receiving: dict[int, str] = {}
        self._sending: dict[int, str] = {}

    def receiving(self, receiver: tuple[int, ...], sender: tuple[int, ...]) -> str:
        """The source of the receiver's channel."""
        known = self._receiving.get(sender[0])
        if known is None:
            known = self._receiving[sender[0]] = ";".join(f"tcp:{peer}:0" for peer in sender)
        return known

    def sending(self, receiver: tuple[int, ...], sender: tuple[int, ...]) -> str:
        """The source of the sender's channel."""
        known = self._sending.get(receiver[0])
        if known is None:
            known = self._sending[receiver[0]] = ";".join(f"tcp:{peer}:" for peer in receiver)
        return known


class _Opaque:
    """Streams through a broker, which knows them by job, receiver and sender."""

    def __init__(self, context: Context) -> None:
        self._job = context.job

    def receiving(self, receiver: tuple[int, ...], sender: tuple[int, ...]) -> str:
        """The source of the receiver's channel."""
        return f"opaque:local|{self._job}-{receiver[0]}-{sender[0]}"

    def sending(self, receiver: tuple[int, ...], sender: tuple[int, ...]) -> str:
        """The source of the sender's channel."""
        return f"opaque:local|>{self._job}-{receiver[0]}-{sender[0]}"
