"""Kinds of Zebra: erasure-coded, encrypted, an older one taken over; two side by side; and what the doctor says of them."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
import simplejson

from tests.cluster.conftest import connect
from tests.cluster.jobs import node, program, run, stdin, stdout
from tests.cluster.zebra_shell import wait_for, zebra
from zerocloud.zebra import Zebra
from zerocloud.zebra.errors import DirectoryError

SECRET = b"nobody shall read this on a disk\n" * 4000


def findings(directory: Path, code: int = 0) -> dict[str, dict]:
    """What the doctor finds ill, by subject."""
    found = simplejson.loads(zebra("doctor", "--dir", str(directory), "--json", code=code))
    return {one["subject"]: one for one in found if not one["well"] and one["subject"] != "walls"}


def test_jobs_on_an_erasure_coded_and_encrypted_zebra(tmp_path: Path) -> None:
    directory = tmp_path / "kind"
    with Zebra(directory, nodes=3, policy="ec", encrypt=True, together=True) as one:
        client = connect(one)
        client.put_container("vault")
        assert client.request("HEAD", "vault").headers["X-Storage-Policy"] == "ec21"
        client.put("vault/secret", SECRET)
        url = program(client, "vault", "copy")
        done = run(client, node(url, devices=[stdin("vault", "secret"), stdout(path="swift://~/vault/copy")]))
        assert done.status_code == 200, done.text
        assert client.get("vault/copy").content == SECRET
        assert findings(directory) == {}
        client.close()
    stored = list(directory.glob("node*/d1/objects*/**/*.data"))
    assert stored
    assert not any(SECRET[:32] in path.read_bytes() for path in stored)


def test_an_older_zebra_is_taken_over_with_its_data_and_a_later_one_refused(tmp_path: Path) -> None:
    with Zebra(tmp_path, nodes=1, together=True) as one:
        client = connect(one)
        client.put_container("kept")
        client.put("kept/object", "still here")
        client.close()
    mark = tmp_path / "zebra.json"
    text = simplejson.loads(mark.read_text())
    mark.write_text(simplejson.dumps({key: value for key, value in text.items() if key not in ("policy", "encryption_secret")}))
    with Zebra(tmp_path, together=True, encrypt=True) as one:
        client = connect(one)
        assert client.get("kept/object").text == "still here"
        client.close()
    mark.write_text(simplejson.dumps({**text, "invented_tomorrow": 1}))
    with pytest.raises(DirectoryError, match="later version"):
        Zebra(tmp_path, together=True).up()


def test_what_the_doctor_says(tmp_path: Path) -> None:
    directory = tmp_path / "patient"
    assert "zebra up" in findings(directory, code=1)["directory"]["cure"]
    with Zebra(directory, nodes=2) as one:
        port = int(one.proxy_url.rpartition(":")[2])
        assert findings(directory) == {}
        assert str(directory) in zebra("list")
        one.kill_node(2)
        assert wait_for(lambda: one.state().member("node2").ending is not None)
        ill = findings(directory)["processes"]
        assert "node2" in ill["text"]
        assert "zebra down" in ill["cure"]
        proxy = one.state().member("proxy").process
        proxy.signal(signal.SIGKILL)
        assert proxy.wait(10)
        assert set(findings(directory, code=1)) == {"processes", "proxy"}
    assert str(directory) not in zebra("list")
    with socket.create_server(("127.0.0.1", port)):
        ill = findings(directory)
        assert f"port {port}" in ill["ports"]["text"]
        assert "zebra up" in ill["processes"]["cure"]
    (directory / "zebra.json").write_text("{")
    assert "zebra.json" in findings(directory, code=1)["directory"]["text"]
    assert "ill" in zebra("doctor", "--dir", str(directory), code=1)


def test_a_killed_supervisor(tmp_path: Path) -> None:
    with Zebra(tmp_path / "z", nodes=1, together=True) as one:
        supervisor = one.state().supervisor
        supervisor.signal(signal.SIGKILL)
        assert supervisor.wait(10)
        ill = findings(tmp_path / "z", code=1)["processes"]
        assert "killed" in ill["text"] or "crash" in ill["text"]
