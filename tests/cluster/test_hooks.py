"""Hooks on a real cluster: what clients read and write goes through programs."""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import nothing_left
from tests.cluster.test_ways import TAR, archive
from zerocloud.zebra import Zebra

PATIENCE = 60


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


@pytest.fixture
def hooked(client: Client, container: str, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Makes a second container that names a zapp for an event."""

    def make(event: str, *devices: dict, program: str = "copy") -> str:
        client.put(f"{container}/{event}", archive(program, *devices), Content_Type=TAR)
        name = f"{container}-hooked"
        headers = {f"X-Container-Meta-Zerovm-{event}": f"swift://~/{container}/{event}"}
        client.send("PUT", name, None, headers).raise_for_status()

        def remove() -> None:
            for entry in client.names(name):
                client.request("DELETE", f"{name}/{entry}")
            client.request("DELETE", name)

        request.addfinalizer(remove)
        return name

    return make


def wait_for(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def test_reading_through_a_program(client: Client, hooked: Callable[..., str]) -> None:
    name = hooked("On-Get", {"name": "stdin"}, {"name": "stdout", "content_type": "text/x-seen"})
    client.put(f"{name}/o", "0123456789", Content_Type="text/x-stored")
    answer = client.get(f"{name}/o")
    assert (answer.text, answer.headers["Content-Type"]) == ("0123456789", "text/x-seen")
    assert answer.headers["Etag"].strip('"') == hashlib.md5(b"0123456789").hexdigest()
    part = client.request("GET", f"{name}/o", Range="bytes=2-4")
    assert (part.status_code, part.text) == (206, "234")
    assert client.request("GET", f"{name}/o", If_None_Match=answer.headers["Etag"]).status_code == 304
    assert client.request("HEAD", f"{name}/o").headers["Content-Length"] == "10"
    assert client.get(f"{name}/o", X_Zerovm_Raw="true").headers["Content-Type"] == "text/x-stored"
    assert client.request("GET", f"{name}/none").status_code == 404


def test_writing_through_a_program(client: Client, hooked: Callable[..., str]) -> None:
    name = hooked("On-Put", {"name": "stdin"}, {"name": "stdout", "content_type": "message/cgi"})
    made = client.request("PUT", f"{name}/o", "Content-Type: text/x-made\r\nX-Object-Meta-Mine: yes\r\n\r\nbody")
    assert made.status_code == 201, made.text
    stored = client.get(f"{name}/o")
    assert (stored.text, stored.headers["Content-Type"], stored.headers["X-Object-Meta-Mine"]) == ("body", "text/x-made", "yes")
    refused = client.request("PUT", f"{name}/no", "Status: 422 No\r\nContent-Type: text/plain\r\n\r\nnot this")
    assert (refused.status_code, refused.text) == (422, "not this")
    assert client.names(name) == ["o"]


def test_after_a_put_a_program_runs_on_the_new_object(client: Client, container: str, hooked: Callable[..., str]) -> None:
    output = {"name": "stdout", "path": f"swift://~/{container}/copied"}
    name = hooked("After-Put", {"name": "stdin"}, output)
    client.put(f"{name}/o", "new")
    wait_for(lambda: "copied" in client.names(container), "the hook's output")
    assert client.get(f"{container}/copied").text == "new"
    admin = Client(client.url.rpartition("/")[0] + "/.zerocloud", client.session.headers["X-Auth-Token"])
    assert [admin.request(method, "hooks-0").status_code for method in ("GET", "PUT", "POST")] == [403] * 3
    admin.close()


def test_a_hook_is_run_though_its_proxy_dies(tmp_path: Path) -> None:
    overrides = {"proxy/proxy_query/zerovm_hooks_patience": "1"}
    with Zebra(tmp_path / "zebra", nodes=2, overrides=overrides) as own:
        client = connect(own)
        for name in ("programs", "out"):
            client.put_container(name)
        output = {"name": "stdout", "path": "swift://~/out/o"}
        client.put("programs/zapp", archive("linger", {"name": "stdin"}, output), Content_Type=TAR)  # it takes a second
        client.send("PUT", "in", None, {"X-Container-Meta-Zerovm-After-Put": "swift://~/programs/zapp"}).raise_for_status()
        client.put("in/o", "new")
        proxy = own.state().member("proxy").process
        proxy.signal(signal.SIGKILL)
        assert proxy.wait(PATIENCE)
        client.close()
        own.down()
        own.up()
        again = connect(own)
        assert again.names("out") == []
        wait_for(lambda: again.names("out") == ["o"], "the hook's output: nobody has PUT anything since")
        again.close()
