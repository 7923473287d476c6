"""Warm guests of system images: who goes on from which, and what becomes of one that is gone."""

from __future__ import annotations

import pytest

from tests.guests import compiled
from zerocloud import wire
from zerocloud.images.archive import Description, File, Warm, write_image

from .conftest import CDR, RANDOM_READ, RANDOM_WRITE, READ, STDOUT, device, name_of, node, storage_server, wait_for

KINDS = (Warm(("rich",)), Warm(("lean",), lean=True))
IMAGE = device("tools", RANDOM_READ)
PROGRAM = "file://tools:bin/warmed"


@pytest.fixture(scope="module")
def equipped(tmp_path_factory):
    root = tmp_path_factory.mktemp("equipped")
    described = Description("tools", "1", "bin/warmed", (), KINDS)
    write_image(root / "tools.tar", described, [File("bin/warmed", compiled("warmed"), program=True)])
    with storage_server(root, zerovm_sysimage_devices=f"tools {root}/tools.tar") as server:
        server.request("GET", "/recon/version")  # it begins to work
        wait_for(lambda: log(server).count("is frozen and waits") == len(KINDS), "warm guests")
        yield server


def log(server):
    path = server.root / "zerovm.log"
    return path.read_text() if path.exists() else ""


def run(server, *channels, members=(), **keys):
    """What a session writes, and whether it was told to be warm."""
    described = node(*channels, STDOUT, exe=PROGRAM, **keys)
    answer = server.post("/a", [("sysmap", described.to_json()), *members])
    assert answer.headers[wire.STATUS] == "ok", answer
    return answer.members["stdout"].decode(), answer.headers[wire.DAEMON] == "1"


def test_the_first_session_is_warm_and_so_is_one_with_any_devices(equipped):
    assert run(equipped, IMAGE) == ("rich", True)
    image = [("image", bytes(1024))]
    channels = (IMAGE, device("stdin", READ), device("a", RANDOM_WRITE), device("image", CDR, removable=True))
    assert run(equipped, *channels, members=[("stdin", b"in"), *image]) == ("rich", True)


def test_a_limit_of_memory_asks_for_a_lean_one(equipped):
    assert run(equipped, IMAGE, memory=64 << 20) == ("lean", True)


def test_what_a_warm_guest_can_not_show_runs_cold(equipped):
    other = device("image", CDR)  # which would lie below the image, and not above it
    assert run(equipped, other, IMAGE, members=[("image", bytes(1024))]) == ("cold", False)


def test_an_object_under_the_images_name_is_not_the_image(equipped):
    """No map can ask for that; if one could, the object's program would not be the server's own."""
    equipped.put("/a/c/tools", (equipped.root / "tools.tar").read_bytes())
    described = node(device("tools", CDR, "swift://a/c/tools"), STDOUT, exe=PROGRAM)
    answer = equipped.post("/a/c/tools", [("sysmap", described.to_json())], X_Zerovm_Access="GET")
    assert (answer.members["stdout"], answer.headers[wire.DAEMON]) == (b"cold", None), answer


def test_a_crashed_one_is_missed_and_made_anew(equipped, stopped):
    frozen = [pid for pid in equipped.executors() if name_of(pid) == "zerovm-daemon"]
    assert len(frozen) == len(KINDS)
    for pid in frozen:
        stopped(pid)
    assert run(equipped, IMAGE) == ("cold", False)
    wait_for(lambda: run(equipped, IMAGE) == ("rich", True), "another one")
    wait_for(lambda: run(equipped, IMAGE, memory=64 << 20) == ("lean", True), "another lean one")
