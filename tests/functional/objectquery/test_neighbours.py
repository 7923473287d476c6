"""Inputs that lie on the same device as the node's own object are opened there."""

from zerocloud import wire
from zerocloud.wire import SliceDescription

from .conftest import RANDOM_READ, STDOUT, device, node

OBJECT = "/a/c/first"


def neighbours(*names, partition=0, **more):
    paths = [f"swift:/{OBJECT}", *(f"swift://a/c/{name}" for name in names)]
    channels = [device(f"input/{at}", RANDOM_READ, path, partition=partition, **more) for at, path in enumerate(paths, 1)]
    return node(*channels, STDOUT)


def test_several_objects_are_read_where_they_lie(server):
    server.put(OBJECT, b"<first>")
    for name in ("second ü", "third/x"):
        server.put(f"/a/c/{name}", f"<{name}>".encode())
    answer = server.run("gather", neighbours("second ü", "third/x"), OBJECT, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    assert answer.members["stdout"].decode() == "<first><second ü><third/x>"


def test_what_came_along_is_taken_instead(server):
    server.put(OBJECT, b"<first>")
    server.put("/a/c/second", b"<second>")
    answer = server.run("gather", neighbours("second"), "/a", [("input/1", b"<1>"), ("input/2", b"<2>")])
    assert answer.members["stdout"] == b"<1><2>"


def test_a_part_of_a_neighbour(server):
    server.put(OBJECT, b"0123456789")
    server.put("/a/c/second", b"abcdefghij")
    described = neighbours("second", slice=SliceDescription(2, 5, 10))
    answer = server.run("gather", described, OBJECT, X_Zerovm_Access="GET")
    assert answer.members["stdout"] == b"234cde"


def test_the_proxy_is_told_of_one_that_is_not_here(server):
    server.put(OBJECT, b"<first>")
    server.put("/a/c/large", b"[]", X_Static_Large_Object="True")
    for name, partition, kind in (("nothing", 0, wire.MISSING), ("large", 5, wire.MISSING), ("large", 0, wire.LARGE_OBJECT)):
        answer = server.run("gather", neighbours(name, partition=partition), OBJECT, X_Zerovm_Access="GET")
        assert (answer.status, answer.headers[wire.NOT_LOCAL]) == (409, kind)
        assert f"/a/c/{name}".encode() in answer.body


def test_an_account_or_container_is_no_neighbour(server):
    server.put(OBJECT, b"<first>")
    for path in ("swift://a/c", "swift://a", "swift:///c/o", "zvm://x:y"):
        described = node(device("input/1", RANDOM_READ, path, partition=0), STDOUT)
        answer = server.run("gather", described, OBJECT, X_Zerovm_Access="GET")
        assert (answer.status, answer.body.decode()) == (400, f"{path} is no object")
