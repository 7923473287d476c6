"""Parts of objects and directories of inputs, on a real object server."""

import math
import random
from itertools import pairwise

import pytest

from zerocloud.wire import SliceDescription

from .conftest import RANDOM_READ, READ, STDOUT, device, node

OBJECT = "/a/c/sliced"
URL = f"swift:/{OBJECT}"
TEXT = b"".join(b"%d %s\n" % (number, b"x" * (number * 7 % 90)) for number in range(400))


def part(start, end, size, separator=""):
    return device("stdin", READ, URL, slice=SliceDescription(start, end, size, separator))


def seen(server, start, end, data, separator=""):
    """What a program sees of the object."""
    answer = server.run("copy", node(part(start, end, len(data), separator), STDOUT), OBJECT, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    return answer.members["stdout"]


@pytest.mark.parametrize(("start", "end"), [(0, 10), (10, 4000), (4000, len(TEXT)), (7, 7), (0, len(TEXT))])
def test_bytes_are_exactly_those_of_the_range(server, start, end):
    server.put(OBJECT, TEXT)
    assert seen(server, start, end, TEXT) == TEXT[start:end]


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_lines_are_seen_once_however_the_ranges_fall(server, parts):
    server.put(OBJECT, TEXT)
    size = math.ceil(len(TEXT) / parts)
    found = [seen(server, at, min(at + size, len(TEXT)), TEXT, "\n") for at in range(0, len(TEXT), size)]
    assert b"".join(found) == TEXT
    assert all(piece.endswith(b"\n") for piece in found)


def test_a_line_longer_than_several_slices_belongs_to_the_first(server):
    data = b"short\n" + b"long" * 50_000 + b"\nshort\n"
    server.put(OBJECT, data)
    borders = [0, 3, 60_000, 120_000, 180_000, 200_007, len(data)]
    found = [seen(server, start, end, data, "\n") for start, end in pairwise(borders)]
    assert [len(piece) for piece in found] == [6, 200_001, 0, 0, 0, 6]


def test_records_with_a_separator_of_several_bytes(server):
    data = "".join(f"record {number} ÷÷" for number in random.Random(4).sample(range(1000), 300)).encode()
    server.put(OBJECT, data)
    found = [seen(server, at, min(at + 500, len(data)), data, "÷÷") for at in range(0, len(data), 500)]
    assert b"".join(found) == data


def test_a_random_device_sees_its_slice_alone(server):
    server.put(OBJECT, TEXT)
    described = device("input/1", RANDOM_READ, URL, slice=SliceDescription(100, 900, len(TEXT)))
    answer = server.run("gather", node(described, STDOUT), OBJECT, X_Zerovm_Access="GET")
    assert answer.members == {"stdout": TEXT[100:900]}


def test_an_object_that_is_not_the_one_that_was_split_is_left_to_other_replicas(server):
    server.put(OBJECT, TEXT)
    answer = server.run("copy", node(part(0, 9, 10), STDOUT), OBJECT, X_Zerovm_Access="GET")
    assert answer.status == 503
    assert f"has {len(TEXT)} bytes here, and had 10 when the job was planned".encode() in answer.body


def test_what_was_sent_is_already_the_slice(server):
    described = part(5, 9, 100, "\n")
    answer = server.run("copy", node(described, STDOUT), "/a", [("stdin", b"the bytes as they came")])
    assert answer.members == {"stdout": b"the bytes as they came"}


def test_several_inputs_are_a_directory(server):
    server.put(OBJECT, b"<local>")
    channels = [device("input/1", RANDOM_READ, URL)]
    channels += [device(f"input/{number}", RANDOM_READ, f"swift://a/c/other{number}") for number in range(2, 13)]
    members = [(f"input/{number}", b"<%d>" % number) for number in range(2, 13)]
    answer = server.run("gather", node(*channels, STDOUT), OBJECT, members, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    assert answer.members["stdout"] == b"<local>" + b"".join(b"<%d>" % number for number in range(2, 13))
