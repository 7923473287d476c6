"""Shares objects out: which node of a group gets which objects, or which part of one. Source: system map, sections 5 and 6."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from .catalogue import Catalogue, CatalogueError, Match
from .context import Context
from .groups import Device, Group
from .paths import SwiftPath, SwiftPattern
from .plan import Access, Slice
from .problems import ListingError, Pointer, Problems


class Unplannable(Exception):
    """A group's nodes can't be made; why has been noted."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one node gets: for each spreading device, in their order, its objects (several only with ``each``).

    ``slice`` is the part of the object on the device ``split``. ``captures`` are what the wildcards stood for; None if there
    were none, or if the node has several objects.
    """

    objects: tuple[tuple[Match, ...], ...]
    captures: tuple[str, ...] | None = None
    slice: Slice | None = None


def share_out(
    group: Group, devices: Sequence[Device], catalogue: Catalogue, context: Context, problems: Problems
) -> list[Share]:
    """The shares of a group's nodes, one for each; ``devices`` are those that spread. Raises Unplannable."""
    most = context.limits.maxnodes * max(1, group.each)
    columns = [_find(device, group, catalogue, context, most, problems) for device in devices]
    _expect_equal(group, devices, columns, problems)
    if group.each:
        return [Share((tuple(chunk),)) for chunk in chunks(columns[0], group.each, context.affinity)]
    leader = next((i for i, device in enumerate(devices) if device.access & Access.READABLE), 0)
    split = next((i for i, device in enumerate(devices) if device.split), None)
    shares: list[Share] = []
    for row in zip(*columns, strict=True):
        share = Share(tuple((match,) for match in row), row[leader].captures)
        if split is None:
            shares.append(share)
        else:
            most = context.limits.maxnodes - len(shares)
            shares += _slices(share, row[split], devices[split], context, most, problems)
    return shares


def _find(device: Device, group: Group, catalogue: Catalogue, context: Context, most: int, problems: Problems) -> list[Match]:
    """The objects of one device, each once, in the order of its paths."""
    found: dict[SwiftPath, Match] = {}
    for index, path in enumerate(device.paths):
        pointer = (*device.pointer, "path", index) if device.listed else (*device.pointer, "path")
        if isinstance(path, SwiftPath) and not device.split:
            found.setdefault(path, Match(path))
            continue
        assert isinstance(path, (SwiftPath, SwiftPattern))
        try:
            matches = catalogue.find(path, most + 1)
        except CatalogueError as error:
            problems.add(pointer, str(error))
            raise Unplannable from error
        if not matches:
            problems.add(pointer, f"No objects found in path {path.url}")
            raise Unplannable
        for match in matches:
            found.setdefault(match.path, _sized(match, context, pointer, problems) if device.split else match)
    if len(found) > most:
        cure = "" if group.each else 'Put several on one node: "each": {"objects": 16}'
        problems.add((*device.pointer, "path"), f"More than {most} objects for device {device.name} of {group.name}", cure)
        raise Unplannable
    return list(found.values())


def _sized(match: Match, context: Context, pointer: Pointer, problems: Problems) -> Match:
    """The same object with its true size. Raises Unplannable."""
    if match.size or context.size_of is None:
        return match
    try:
        return replace(match, size=context.size_of(match.path))
    except ListingError as error:
        problems.add(pointer, str(error))
        raise Unplannable from error


def _expect_equal(group: Group, devices: Sequence[Device], columns: Sequence[Sequence[Match]], problems: Problems) -> None:
    for device, column in zip(devices, columns, strict=True):
        if len(column) != len(columns[0]):
            reason = (
                f"{group.name} needs as many objects for {device.name} as for {devices[0].name}, "
                f"but there are {len(column)} and {len(columns[0])}"
            )
            problems.add((*device.pointer, "path"), reason)
            raise Unplannable


def _slices(share: Share, match: Match, device: Device, context: Context, most: int, problems: Problems) -> Iterator[Share]:
    """The share once for each slice of the object on the device that is split."""
    split, size = device.split, match.size
    assert split is not None
    assert size is not None
    borders = list(cuts(size, split.size, _segments(match, split.size, context, device.pointer, problems)))
    count = len(borders)
    if count > most:
        reason = f"{match.path.url} with {size} bytes makes {count} nodes of {split.size} bytes, but there is room for {most}"
        problems.add((*device.pointer, "split", "size"), reason, "Use a larger size")
        raise Unplannable
    for index, (start, end) in enumerate(borders, 1):
        captures = None if share.captures is None else (*share.captures, str(index))
        yield Share(share.objects, captures, Slice(start, end, split.mode, split.separator, index, count, size))


def _segments(match: Match, most: int, context: Context, pointer: Pointer, problems: Problems) -> Sequence[int]:
    """The sizes of the segments of an object that is to be cut; none for one that is a whole. Raises Unplannable."""
    if context.segments_of is None or not match.size or match.size <= most:
        return ()
    try:
        found = context.segments_of(match.path)
    except ListingError as error:
        problems.add(pointer, str(error))
        raise Unplannable from error
    return found if sum(found) == match.size else ()


def cuts(size: int, most: int, segments: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where an object is cut, as ranges of at most ``most`` bytes.

    First at the borders of its segments, so that a range lies where its segment does; of segments smaller than half a range,
    several are put together.
    """
    start = end = 0
    for segment in segments:
        if end > start and (2 * segment >= most or end + segment - start > most):
            yield from _even(start, end, most)
            start = end
        end += segment
        if 2 * segment >= most:
            yield from _even(start, end, most)
            start = end
    if start < size or not size:
        yield from _even(start, size, most)


def _even(start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    yield start, min(end, start + most)
    yield from ((position, min(end, position + most)) for position in range(start + most, end, most))


def chunks(
    matches: Sequence[Match], size: int, affinity: Callable[[SwiftPath], Hashable] | None = None
) -> Iterator[list[Match]]:
    """The objects in chunks of at most ``size``, as few as possible or nearly so.

    With ``affinity``, objects that lie together share a chunk as long as they fill it; what is left over is mixed.
    """
    if affinity is None:
        together = [list(matches)]
    else:
        families: dict[Hashable, list[Match]] = {}
        for match in matches:
            families.setdefault(affinity(match.path), []).append(match)
        together = list(families.values())
    rest: list[Match] = []
    for family in together:
        full = len(family) - len(family) % size
        yield from (family[i : i + size] for i in range(0, full, size))
        rest += family[full:]
    yield from (rest[i : i + size] for i in range(0, len(rest), size))
