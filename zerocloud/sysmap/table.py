"""An explanation as a table: a line for each node, and the sums below. Source: system map, section 13."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .explain import Bound, Explanation, NodeView, size_text
from .problems import printable

HEADER = ("id", "node", "copies", "runs at", "why", "reads", "writes", "sends to", "brought")
_NAMES_SHOWN = 3
_WIDEST = 60


def rows(explanation: Explanation) -> list[tuple[str, ...]]:
    """The cells of the table, without its header: one row for each node. Everything in them is fit for a terminal."""
    return [tuple(map(printable, _row(view))) for view in explanation.nodes]


def _row(view: NodeView) -> tuple[str, ...]:
    return (
        str(view.id),
        view.name,
        str(view.copies),
        ", ".join(view.servers[:_NAMES_SHOWN]) or view.place,
        view.why if not view.servers else f"{view.place}: {view.why}",
        _devices(view.channels, "in"),
        _devices(view.channels, "out"),
        _names(view.sends_to),
        _names([f"{transfer.member} {size_text(transfer.size)}" for transfer in view.brought]),
    )


def _devices(channels: Iterable[Bound], direction: str) -> str:
    return _names([_device(channel) for channel in channels if channel.direction == direction])


def _device(channel: Bound) -> str:
    if channel.range:
        return f"{channel.device}={channel.path} bytes {channel.range[0]}-{channel.range[1]}"
    size = f" {size_text(channel.size)}" if channel.size is not None else ""
    return channel.device + (f"={channel.path}{size}" if channel.path else "")


def _names(names: Sequence[str]) -> str:
    if len(names) <= _NAMES_SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: _NAMES_SHOWN - 1])} … {names[-1]} ({len(names)})"


def sums(explanation: Explanation) -> list[str]:
    """What the job comes to, a sentence a line."""
    totals = explanation.totals
    told = [
        f"nodes: {totals.nodes}, sessions: {totals.sessions}, connections: {totals.connections}",
        f"read where it lies: {size_text(totals.local_bytes)}",
        f"objects brought to nodes: {totals.fetched_objects}, read once: {size_text(totals.fetched_bytes)}, "
        f"sent in all: {size_text(totals.pushed_bytes)}",
    ]
    if totals.unknown:
        told.append(f"objects of unknown size, not counted: {totals.unknown}")
    if explanation.limits:
        told.append("limits: " + ", ".join(f"{name} {value:.12g}" for name, value in explanation.limits.items()))
    return told


def table(explanation: Explanation) -> str:
    """The whole as plain text."""
    lines = [HEADER, *(tuple(cell[:_WIDEST] for cell in row) for row in rows(explanation))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join([*padded, "", *sums(explanation)]) + "\n"
