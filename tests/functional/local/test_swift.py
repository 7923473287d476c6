"""Swift's API over folders, and who is let in."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from zerocloud.client import Connection, Refused
from zerocloud.local.names import ACCOUNT
from zerocloud.local.world import LocalError, LocalSwift


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, text in {"c/a.txt": "0123456789", "c/b/d.json": "{}", "c/.hidden": "x", ".git/config": "x"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "c/loop").symlink_to(folder / "c")
    return folder


@pytest.fixture(scope="module")
def local(data: Path) -> Iterator[LocalSwift]:
    with LocalSwift(data) as one:
        yield one


@pytest.fixture
def cloud(local: LocalSwift) -> Iterator[Connection]:
    with local.connect() as connection:
        yield connection


def test_listings(cloud: Connection) -> None:
    assert cloud.request("GET").text.splitlines() == ["c"]
    assert cloud.request("GET", "/c").text.splitlines() == ["a.txt", "b/d.json"]
    assert [entry["content_type"] for entry in cloud.request("GET", "/c?format=json").json()] == [
        "text/plain",
        "application/json",
    ]
    assert cloud.request("HEAD", "/c").headers["X-Container-Object-Count"] == "2"


def test_an_object_and_parts_of_it(cloud: Connection) -> None:
    whole = cloud.request("GET", "/c/a.txt")
    assert (whole.text, whole.headers["Etag"].strip('"')) == ("0123456789", hashlib.md5(b"0123456789").hexdigest())
    part = cloud.request("GET", "/c/a.txt", headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.text) == (206, "234")
    assert cloud.request("GET", "/c/a.txt", headers={"If-None-Match": whole.headers["Etag"]}).status_code == 304
    head = cloud.request("HEAD", "/c/a.txt")
    assert (head.headers["Content-Length"], head.headers["Content-Type"]) == ("10", "text/plain")


def test_what_is_stored_keeps_its_type_and_metadata(cloud: Connection, data: Path) -> None:
    cloud.request(
        "PUT", "/c/new/x", data=b"made", headers={"Content-Type": "text/x-mine", "X-Object-Meta-Colour": "röt".encode()}
    )
    assert (data / "c/new/x").read_bytes() == b"made"
    got = cloud.request("GET", "/c/new/x")
    assert (got.headers["Content-Type"].partition(";")[0], got.headers["X-Object-Meta-Colour"].encode("latin-1").decode()) == (
        "text/x-mine",
        "röt",
    )
    cloud.request("DELETE", "/c/new/x")
    assert not (data / "c/new").exists()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/c/none", {}, 404),
        ("GET", "/none", {}, 404),
        ("GET", "/c/b", {}, 404),
        ("PUT", "/none/o", {}, 404),
        ("PUT", "/c/a.txt/below", {}, 409),
        ("PUT", "/c/x", {"Etag": "0" * 32}, 422),
        ("DELETE", "/c", {}, 409),
        ("DELETE", "/c/b", {}, 404),
        ("GET", "/c/%2e%2e/%2e%2e/etc/passwd", {}, 404),
        ("PUT", "/c/%2e%2e/out", {}, 400),
        ("GET", "/%2e%2e", {}, 404),
        ("GET", "/c//etc/passwd", {}, 404),
        ("PATCH", "/c/a.txt", {}, 405),
    ],
)
def test_refusals(cloud: Connection, data: Path, method: str, path: str, headers: dict[str, str], status: int) -> None:
    before = sorted(os.walk(data))
    with requests.Session() as session:  # whose client does not tidy paths up
        request = session.prepare_request(requests.Request(method, cloud.login.storage_url, headers=headers, data=b"x"))
        request.url = cloud.login.storage_url + path
        request.headers["X-Auth-Token"] = cloud.login.token
        assert session.send(request, timeout=30).status_code == status
    assert sorted(os.walk(data)) == before


def test_a_body_that_breaks_off_is_not_stored(local: LocalSwift, data: Path) -> None:
    host, port = local.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        lines = [f"PUT /v1/{ACCOUNT}/c/half HTTP/1.1", "Host: x", f"X-Auth-Token: {local.login.token}", "Content-Length: 9"]
        connection.sendall("\r\n".join([*lines, "", "half"]).encode())
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(30)
        connection.recv(1000)
    assert [path.name for path in (data / "c").iterdir() if "half" in path.name] == []


def test_only_who_has_the_token_is_heard(local: LocalSwift) -> None:
    for headers in ({}, {"X-Auth-Token": "guessed"}):
        for path in ("/v1/AUTH_local/c/a.txt", "/api/AUTH_local/c/x", "/open/AUTH_local/c/a.txt", "/info", "/"):
            assert requests.get(local.url + path, headers=headers, timeout=30).status_code == 401


def test_who_comes_before_the_zapp_is_told_to_come_again(data: Path) -> None:
    with LocalSwift(data, served=".zapp") as serving, serving.connect() as cloud:
        early = requests.get(f"{serving.url}/any", timeout=30)
        assert (early.status_code, early.headers["Retry-After"]) == (503, "1")
        assert early.text == "The zapp is not here yet: ask again in a moment\n"
        cloud.request("PUT", "/.zapp")
        cloud.request("PUT", "/.zapp/zapp", data=b"x")
        assert requests.get(f"{serving.url}/any", timeout=30).status_code == 503
        endpoint = f"swift://{ACCOUNT}/.zapp/zapp"
        cloud.request("POST", "/.zapp", headers={"X-Container-Meta-Rest-Endpoint": endpoint})
        assert requests.get(f"{serving.url}/any", timeout=30).status_code == 501  # an object that is no zapp


def test_jobs_do_not_leave_the_folder(cloud: Connection) -> None:
    for path in ("swift://~/c/../../../etc/passwd", "swift://~/../etc/passwd", "swift://~/c/%2e%2e/x"):
        group = {"name": "n", "exec": {"path": "swift://~/c/a.txt"}, "devices": [{"name": "stdin", "path": path}]}
        with pytest.raises(Refused) as refused:
            cloud.run([group])
        assert refused.value.status in (400, 404)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is no folder"):
        LocalSwift(tmp_path / "none")


def test_nothing_is_left(data: Path) -> None:
    with LocalSwift(data) as one:
        place = Path(one._settings.place)
        assert place.is_dir()
    assert not place.exists()
    assert not one.alive()
