"""Long tables made in steps: a proxy that tells of 10,000 nodes at one go answers nobody meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

AT_A_TIME = 200
"""Lines of a table between two pauses: some milliseconds."""

Row = TypeVar("Row")


def unhurried(rows: Sequence[Row], pause: Callable[[], object]) -> Iterator[Row]:
    """The rows, with a pause after each :data:`AT_A_TIME` of them."""
    for number, row in enumerate(rows, 1):
        yield row
        if number % AT_A_TIME == 0:
            pause()
