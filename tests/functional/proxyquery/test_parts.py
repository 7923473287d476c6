"""Parts of objects that are sent to nodes: what is read of them, and what happens when they change meanwhile."""

import pytest
from swift.common.swob import Response

from tests.functional.proxyquery import harness
from tests.functional.proxyquery.harness import ACCOUNT, device, node
from zerocloud import wire

LINES = b"".join(b"line %d\n" % number for number in range(1000))
PATH = f"{ACCOUNT}/c/big"
NOT_LOCAL = {wire.NOT_LOCAL: wire.LARGE_OBJECT}


def cut(size, on="line", **keys):
    return device("stdin", "c/big", split={"size": size, "on": on, **keys})


@pytest.fixture
def far(world):
    """A world in which no storage server has objects as files."""
    world.every(before=lambda headers: Response(status=409, headers=NOT_LOCAL) if headers.get(wire.ACCESS) == "GET" else None)
    world.pipeline.put("c/big", LINES)
    return world


def sent(world):
    return [job.members["stdin"] for job in world.jobs()]


def test_where_the_object_lies_nothing_is_sent(world):
    world.pipeline.put("c/big", LINES)
    assert world.post(node(world, cut(3000), device("stdout"))).status_int == 200
    jobs = world.jobs()
    assert [list(job.members) for job in jobs] == [["sysmap", "boot"]] * 3
    assert [job.node["channels"][0]["slice"] for job in jobs] == [
        {"start": 0, "end": 3000, "size": 8890, "separator": "\n", "etag": ""},
        {"start": 3000, "end": 6000, "size": 8890, "separator": "\n", "etag": ""},
        {"start": 6000, "end": 8890, "size": 8890, "separator": "\n", "etag": ""},
    ]
    assert [job.node["env"]["SPLIT_INDEX"] for job in jobs] == ["1", "2", "3"]
    assert world.pipeline.ranges == []


def test_the_replicas_share_the_parts(world):
    world.pipeline.put("c/big", LINES)
    assert world.post(node(world, cut(1000), device("stdout"))).status_int == 200
    assert sorted(len(server.jobs) for server in world.servers) == [0, 3, 3, 3]


@pytest.mark.parametrize("size", [100, 777, 4445, 8889, 8890, 10_000])
def test_lines_are_sent_once_each(far, size):
    assert far.post(node(far, cut(size), device("stdout"))).status_int == 200
    assert b"".join(sent(far)) == LINES
    assert all(piece.endswith(b"\n") for piece in sent(far) if piece)


def test_only_the_range_of_bytes_is_read(far):
    assert far.post(node(far, cut(4000, "bytes"), device("stdout"))).status_int == 200
    assert sent(far) == [LINES[:4000], LINES[4000:8000], LINES[8000:]]
    assert sorted(far.pipeline.ranges) == [(PATH, "0-3999"), (PATH, "4000-7999"), (PATH, "8000-8889")]


def test_records_that_are_longer_than_parts(far):
    data = b"short<>" + b"long" * 40_000 + b"<>tail"
    far.pipeline.put("c/big", data)
    assert far.post(node(far, cut(50_000, "record", separator="<>"), device("stdout"))).status_int == 200
    assert [len(piece) for piece in sent(far)] == [160_009, 0, 0, 4]
    assert b"".join(sent(far)) == data


def test_an_empty_object(far):
    far.pipeline.put("c/big", b"")
    assert far.post(node(far, cut(50), device("stdout"))).status_int == 200
    assert sent(far) == [b""]
    assert far.pipeline.ranges == []


def test_copies_of_a_node_share_what_is_read(far):
    assert far.post(node(far, cut(4445, "bytes"), device("stdout"), replicate=2)).status_int == 200
    assert sorted(far.pipeline.ranges) == [(PATH, "0-4444"), (PATH, "4445-8889")]


def test_an_object_that_changes_while_it_is_read_fails_the_job(far):
    answer_range = far.pipeline.answer_range

    def then_overwrite(request, data, headers):
        answer = answer_range(request, data, headers)
        far.pipeline.put("c/big", data[::-1])
        return answer

    far.pipeline.answer_range = then_overwrite
    answer = far.post(node(far, cut(5000), device("stdout")))
    assert answer.status_int == 409
    assert f"/{PATH} is not the object of 8890 bytes any more that was split".encode() in answer.body


@pytest.mark.parametrize("data", [b"", LINES[:100], LINES + b"more"])
def test_an_object_of_another_size_fails_the_job(far, data):
    def overwrite(headers):
        far.pipeline.put("c/big", data)
        return Response(status=409, headers=NOT_LOCAL) if headers[wire.ACCESS] else None

    far.every(before=overwrite)
    answer = far.post(node(far, cut(9000, "bytes"), device("stdout")))
    assert answer.status_int == 409
    assert b"is not the object of 8890 bytes any more" in answer.body


def test_a_part_with_too_long_a_record_fails_the_job(tmp_path):
    with harness.world(tmp_path, zerovm_maxinput="10000") as small:
        small.every(before=lambda headers: Response(status=409, headers=NOT_LOCAL) if headers[wire.ACCESS] else None)
        small.pipeline.put("c/big", b"x\n" + b"y" * 20000)
        answer = small.post(node(small, cut(5000), device("stdout")))
        assert answer.status_int == 413
        assert b"has more than 10000 bytes" in answer.body


def test_what_breaks_off_fails_the_job(far):
    far.pipeline.cut.add(PATH)
    answer = far.post(node(far, cut(5000), device("stdout")))
    assert answer.status_int == 503
    assert b"bytes early" in answer.body


def test_an_object_that_a_listing_calls_empty_is_asked_for_its_size(far):
    far.pipeline.listed["c/big"] = 0
    assert far.post(node(far, cut(4000), device("stdout"))).status_int == 200
    assert b"".join(sent(far)) == LINES
    assert far.pipeline.count("HEAD", "c/big") == 1
