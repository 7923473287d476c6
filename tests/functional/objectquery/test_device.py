"""The device under a session: full, or with leftovers of an earlier life; its databases under load."""

import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest

from zerocloud import wire
from zerocloud.objectquery.workspace import PREFIX

from .conftest import READ, STDOUT, device, node, storage_server, wait_for


@pytest.fixture
def small_disk(tmp_path):
    """A server whose device is a file system of 4 MiB."""
    folder = tmp_path / "devices"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    try:
        with storage_server(tmp_path) as server:
            yield server
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_input_that_fills_the_device(small_disk):
    answer = small_disk.run("copy", node(device("stdin", READ), STDOUT), members=[("stdin", b"x" * (6 << 20))])
    assert (answer.status, answer.body) == (507, b"The device has no space left for the session's files")
    assert not small_disk.leftovers()


def test_output_that_fills_the_device(small_disk):
    answer = small_disk.run("flood", node(STDOUT))
    assert answer.status == 507, answer
    assert answer.body.startswith(b"The device ran full while the program ran. ")
    assert answer.headers[wire.STATUS] == wire.RUNTIME_ERROR
    wait_for(lambda: not small_disk.leftovers() and not small_disk.sessions(), "nothing left, nor held by a dying process")
    assert small_disk.run("copy", node(device("stdin", READ), STDOUT), members=[("stdin", b"x")]).members == {"stdout": b"x"}


def test_what_a_power_cut_left_is_swept_at_the_start(tmp_path):
    folder = tmp_path / "devices" / "sda" / "tmp"
    folder.mkdir(parents=True)
    (folder / f"{PREFIX}left").write_bytes(b"x")
    (folder / "swift's own").write_bytes(b"x")
    with storage_server(tmp_path) as server:
        assert server.request("GET", "/a/c/o").status == 404
        assert [path.name for path in folder.iterdir()] == ["swift's own"]


def test_a_containers_database_is_whole_while_it_changes(server):
    port, path = server.container_port, "/a/busy"
    index = {"X-Backend-Storage-Policy-Index": "0"}
    assert server.request("PUT", path, headers={"X-Timestamp": server.timestamp(), **index}, port=port).status == 201
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            fields = {"X-Timestamp": server.timestamp(), "X-Size": "1", "X-Content-Type": "text/x", "X-Etag": "e"}
            server.request("PUT", f"{path}/{number:06d}", headers=fields, port=port)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [snapshot(server, path, port) for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    for names in seen:
        assert names == [f"{number:06d}" for number in range(1, len(names) + 1)]
    assert seen[-1]
    assert [len(names) for names in seen] == sorted(len(names) for names in seen)


def snapshot(server, path, port):
    answer = server.run("copy", node(device("stdin", READ, f"swift:/{path}"), STDOUT), path, port=port, X_Zerovm_Access="GET")
    assert answer.status == 200, answer
    file = server.root / "busy.db"
    file.write_bytes(answer.members["stdout"])
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [name for (name,) in database.execute("SELECT name FROM object WHERE deleted = 0 ORDER BY name")]
