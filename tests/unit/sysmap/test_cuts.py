"""``split`` and ``each``: system map, section 6."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zerocloud.sysmap import ListingError, Slice, SliceTooLong, SwiftPath, record_start, visible_range

from .store import group, paths, plan, problem

BIG = {"a": {"data": {"x1": 25, "x2": 10, "x3": 0}}}


def split(path="swift://a/data/x1", size=10, name="stdin", **more):
    return {"name": name, "path": path, "split": {"size": size, **more}}


def slices(found):
    """The ranges of every node."""
    return [(node.name, node.channels[0].slice.start, node.channels[0].slice.end) for node in found.nodes]


# split


def test_a_large_object_becomes_several_nodes():
    found = plan(group("w", split(), ("input", "swift://a/c/o"), "stdout"), store=BIG)
    assert slices(found) == [("w-1", 0, 10), ("w-2", 10, 20), ("w-3", 20, 25)]
    assert found.nodes[1].channels[0].slice == Slice(10, 20, "line", "\n", 2, 3, 25)
    assert found.nodes[1].channels[1].slice is None
    assert found.nodes[1].env == {
        "SPLIT_INDEX": "2",
        "SPLIT_COUNT": "3",
        "SPLIT_START": "10",
        "SPLIT_END": "20",
        "SPLIT_SIZE": "25",
    }
    assert {(node.access, node.path_info) for node in found.nodes} == {("GET", "/a/data/x1")}


def test_many_objects_are_split_one_after_another():
    found = plan(group("w", split("swift://a/data/x*", on="bytes"), ("stdout", "swift://a/c/*.*")), store=BIG)
    assert slices(found) == [("w-1", 0, 10), ("w-2", 10, 20), ("w-3", 20, 25), ("w-4", 0, 10), ("w-5", 0, 0)]
    assert paths(found, "stdout") == [f"swift://a/c/{name}" for name in ("1.1", "1.2", "1.3", "2.1", "3.1")]


def test_a_split_object_pairs_with_other_inputs_before_it_is_cut():
    other = ("input", ["swift://a/c/1", "swift://a/c/2", "swift://a/c/3"])
    found = plan(group("w", split("swift://a/data/x*"), other), store=BIG)
    assert paths(found, "input") == [f"swift://a/c/{i}" for i in (1, 1, 1, 2, 3)]


def test_outputs_of_slices():
    assert (
        "would be written twice"
        in problem(group("w", split("swift://a/data/x*"), ("stdout", "swift://a/c/*")), store=BIG).reason
    )
    found = plan(group("w", split(), ("stdout", "swift://a/c/*")), store=BIG)
    assert paths(found, "stdout") == ["swift://a/c/w-1", "swift://a/c/w-2", "swift://a/c/w-3"]


def test_records():
    found = plan(group("w", split(on="record", separator="\0é", size="1K")), store=BIG)
    assert (found.nodes[0].channels[0].slice.mode, found.nodes[0].channels[0].slice.separator) == ("record", "\0é")


@pytest.mark.parametrize(
    ("device", "pointer", "reason"),
    [
        (split(size=0), "/split/size", 'size must be bytes, 1 or more, such as 4096 or "64M", not 0'),
        (split(size="64 megabytes"), "/split/size", 'size must be bytes, 1 or more, such as 4096 or "64M", not 64 megabytes'),
        ({"name": "stdin", "path": "swift://a/data/x1", "split": {}}, "/split", "split needs a size"),
        (split(on="lines"), "/split/on", "on must be line or bytes or record, not lines"),
        (split(on="record"), "/split", "Records need a separator"),
        (split(on="record", separator=""), "/split/separator", "Records need a separator"),
        (split(on="record", separator="\ud800"), "/split/separator", "The separator is not Unicode text"),
        (split(on="record", separator="x" * 257), "/split/separator", "The separator has 257 bytes, the limit is 256"),
        (split(separator="\n"), "/split/separator", "Only records have a separator"),
        (split(every=1), "/split/every", "Unknown key every"),
        (split("swift://a/data"), "/split", "split needs a readable device with the path of an object"),
        (split(name="stdout"), "/split", "split needs a readable device with the path of an object"),
        (split(name="image"), "/split", "split needs a readable device with the path of an object"),
        (split("swift://a/data/y"), "/path", "No objects found in path swift://a/data/y"),
        (split("swift://a/data/x"), "/path", "No objects found in path swift://a/data/x"),
        (split("swift://a/none/x"), "/path", "Error querying object server for container: none (404 Not Found)"),
        (
            split(size=1),
            "/split/size",
            "swift://a/data/x1 with 25 bytes makes 25 nodes of 1 bytes, but there is room for 20",
        ),
    ],
)
def test_mistakes_of_split(device, pointer, reason):
    found = problem(group("w", device), store=BIG, limits={"maxnodes": 20})
    assert (found.pointer, found.reason) == (f"/0/devices/0{pointer}", reason)


def test_the_size_of_what_a_listing_calls_empty_is_asked_for():
    asked = []

    def size_of(path):
        asked.append(path.object)
        return 15

    found = plan(group("w", split("swift://a/data/x*"), ("input", "swift://a/data/x3")), store=BIG, size_of=size_of)
    assert slices(found)[-2:] == [("w-5", 0, 10), ("w-6", 10, 15)]
    assert [node.channels[0].size for node in found.nodes][-2:] == [15, 15]
    assert asked == ["x3"]
    assert plan(group("w", ("stdin", "swift://a/data/x*")), store=BIG, size_of=size_of).nodes[2].channels[0].size == 0


def test_a_size_that_is_not_told_is_a_mistake():
    def size_of(path):
        raise ListingError(f"Error 404 Not Found while fetching {path.path}")

    found = problem(group("w", split("swift://a/data/x*")), store=BIG, size_of=size_of)
    assert (found.pointer, found.reason) == ("/0/devices/0/path", "Error 404 Not Found while fetching /a/data/x3")


def test_only_one_device_is_split():
    found = problem(group("w", split(), split(name="input")), store=BIG)
    assert (found.pointer, found.reason) == ("/0/devices/1/split", "Only one device of w can be split")


def test_many_large_objects_are_refused_before_they_are_cut():
    store = {"a": {"data": {f"x{i}": 10**15 for i in range(5000)}}}
    found = problem(group("w", split("swift://a/data/x*", size=10**11)), store=store)
    assert found.reason.endswith("makes 10000 nodes of 100000000000 bytes, but there is room for 0")


SEPARATORS = st.sampled_from((b"\n", b"ab", b"aa", b"aba", b"\n\n"))


def reader(data):
    """A read function for bytes, as a file has it."""
    return lambda offset, length: data[offset : offset + length]


@given(st.text("ab\n", max_size=40).map(str.encode), st.integers(1, 12), SEPARATORS)
@example(b"one\ntwo\n", 4, b"\n")
@example(b"aaaaa", 2, b"aa")
def test_every_record_is_read_exactly_once_however_the_ranges_fall(data, size, separator):
    borders = [*range(0, len(data), size), len(data)]
    starts = [record_start(reader(data), border, len(data), separator) for border in borders]
    assert starts == sorted(starts)
    assert (starts[0], starts[-1]) == (0, len(data))
    for start in starts[1:-1]:
        assert start == len(data) or data[:start].endswith(separator)
    for border, start in zip(borders, starts, strict=True):
        assert start >= border
        skipped = data[max(0, border - len(separator)) : start]
        assert separator not in skipped[:-1] or start == 0


@given(st.text("ab\n", max_size=40).map(str.encode), st.integers(1, 12))
def test_lines_belong_to_the_slice_of_their_first_byte(data, size):
    lines = data.splitlines(keepends=True)
    firsts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    for start in range(0, len(data), size):
        end = min(len(data), start + size)
        read = reader(data)
        seen = data[record_start(read, start, len(data), b"\n") : record_start(read, end, len(data), b"\n")]
        assert seen == b"".join(line for line, first in zip(lines, firsts, strict=True) if start <= first < end)


@pytest.mark.parametrize("distance", [0, 1, 65534, 65535, 65536, 65537, 200000])
def test_separators_across_blocks(distance):
    data = b"y" * 10 + b"x" * distance + b"<>tail"
    assert record_start(reader(data), 10, len(data), b"<>") == 12 + distance
    assert record_start(reader(b"y" * distance), 1, distance, b"<>") == distance
    assert record_start(reader(b""), 5, 100, b"\n") == 100


def records(data, separator):
    """Every record with the place of its first byte. They begin at 0 and after each separator, overlapping ones too."""
    starts = [0, *(i for i in range(1, len(data)) if data[:i].endswith(separator))]
    return [(start, data[start:end]) for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


@given(st.text("ab\n", max_size=60).map(str.encode), st.integers(1, 15), SEPARATORS)
@example(b"", 1, b"\n")
@example(b"\n\n\n\n", 1, b"\n")
@example(b"aaaaaaa", 3, b"aa")
def test_a_slice_shows_the_records_that_begin_in_it(data, size, separator):
    whole = b""
    for start in range(0, len(data), size) or [0]:
        end = min(start + size, len(data))
        first, last = visible_range(reader(data), start, end, len(data), separator, 1000)
        shown = data[first:last]
        assert shown == b"".join(record for at, record in records(data, separator) if start <= at < end)
        whole += shown
    assert whole == data


@given(st.binary(max_size=60), st.integers(1, 15))
def test_every_byte_is_seen_once(data, size):
    parts = [
        visible_range(reader(data), at, min(at + size, len(data)), len(data), b"", size) for at in range(0, len(data), size)
    ]
    assert b"".join(data[first:last] for first, last in parts) == data


@given(st.text("a\n", max_size=200).map(str.encode), st.integers(1, 50))
def test_all_slices_together_read_little_more_than_the_object_twice(data, size):
    asked = []

    def read(offset, length):
        asked.append(len(data[offset : offset + min(length, 1)]))
        return data[offset : offset + 1]  # as little as a reader may give, so that every byte that is looked at is counted

    for start in range(0, len(data), size):
        visible_range(read, start, min(start + size, len(data)), len(data), b"\n", 1000)
    slices = -(-len(data) // size)
    assert sum(asked) <= 2 * len(data) + 2 * slices


def test_more_than_may_be_read_is_refused_without_being_looked_at():
    data = b"a\n" + b"x" * 200_000

    def read(offset, length):
        assert offset + length <= 65 + 2
        return data[offset : offset + length]

    with pytest.raises(SliceTooLong):
        visible_range(read, 1, 10, len(data), b"\n", 64)
    assert visible_range(reader(b"a\nxxxxxxxx\nb\n"), 1, 10, 13, b"\n", 9) == (2, 11)
    with pytest.raises(SliceTooLong):
        visible_range(reader(b"a\nxxxxxxxx\nb\n"), 1, 10, 13, b"\n", 8)
    with pytest.raises(SliceTooLong):
        visible_range(reader(data), 0, 10, len(data), b"", 9)


# each

SMALL = {"a": {"data": {f"o{i}": i for i in range(1, 8)}}}
MANY = ("input", "swift://a/data/o*")


def shares(found):
    """What every node has, as last characters of the objects."""
    return ["".join(c.path.object[-1] for c in node.channels if c.path) for node in found.nodes]


def test_several_objects_on_one_node():
    found = plan(group("w", MANY, ("stdout", "swift://a/c/*.out"), each={"objects": 3}), store=SMALL)
    assert [[c.device for c in node.channels] for node in found.nodes] == [
        ["input/1", "input/2", "input/3", "stdout"],
        ["input/1", "input/2", "input/3", "stdout"],
        ["input/1", "stdout"],
    ]
    assert [c.size for c in found.nodes[1].channels] == [4, 5, 6, None]
    first = found.nodes[0]
    assert (first.access, first.path_info) == ("GET", "/a/data/o1")
    assert list(first.remote) == ["boot", "input/2", "input/3"]
    assert paths(found, "stdout") == ["swift://a/c/w-1.out", "swift://a/c/w-2.out", "swift://a/c/w-3.out"]
    assert [node.env for node in found.nodes] == [{"EACH_COUNT": "3"}, {"EACH_COUNT": "3"}, {"EACH_COUNT": "1"}]


def test_objects_that_lie_together_come_together():
    def odd(path):
        return int(path.object[1:]) % 2

    found = plan(group("w", MANY, each={"objects": 2}), store=SMALL, affinity=odd)
    assert shares(found) == ["13", "57", "24", "6"]
    assert shares(plan(group("w", MANY, each={"objects": 3}), store=SMALL, affinity=odd)) == ["135", "246", "7"]
    assert shares(plan(group("w", MANY, each={"objects": 3}), store=SMALL, affinity=lambda path: path)) == ["123", "456", "7"]


def test_attached_among_many():
    found = plan(group("w", MANY, ("script", "swift://a/c/s"), each={"objects": 4}, attach="input"), store=SMALL)
    assert found.nodes[0].path_info == "/a/data/o1"
    assert found.nodes[0].remote["script"] == SwiftPath("a", "c", "s")


@pytest.mark.parametrize(
    ("devices", "each", "pointer", "reason"),
    [
        ((MANY,), {"objects": 65}, "/0/each/objects", "objects is 65, the limit is 64"),
        ((MANY,), {"objects": 0}, "/0/each/objects", "objects must be a whole number, 1 or more, not 0"),
        ((MANY,), {}, "/0/each", "each needs a number of objects"),
        ((MANY,), 5, "/0/each", "each must be an object, not 5"),
        ((MANY,), {"object": 2, "objects": 2}, "/0/each/object", "Unknown key object"),
        (
            (("stdin", "swift://a/data/o*"),),
            {"objects": 2},
            "/0/each",
            "each needs wildcards (or a list) on the device input and on no other, here they are on: stdin",
        ),
        (
            (MANY, ("stdin", "swift://a/data/o*")),
            {"objects": 2},
            "/0/each",
            "each needs wildcards (or a list) on the device input and on no other, here they are on: input, stdin",
        ),
        (
            (("input", "swift://a/data/o1"),),
            {"objects": 2},
            "/0/each",
            "each needs wildcards (or a list) on the device input and on no other, here they are on: none",
        ),
        ((split("swift://a/data/o*", name="input"),), {"objects": 2}, "/0/each", "each and split exclude each other"),
    ],
)
def test_mistakes_of_each(devices, each, pointer, reason):
    found = problem(group("w", *devices, each=each), store=SMALL)
    assert (found.pointer, found.reason) == (pointer, reason)
