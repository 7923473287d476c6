"""Ordinary clients against a Zebra: the ``swift`` command, boto3, plain HTTP; its users and what they may."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.cluster.conftest import Client, connect
from tests.cluster.s3 import s3_client
from tests.cluster.zebra_shell import CLEAN, wait_for
from zerocloud.zebra import Zebra, settings, view
from zerocloud.zebra.settings import user_called


def test_the_swift_command(zebra: Zebra, container: str, tmp_path: Path) -> None:
    user = user_called("test:tester")
    variables = view.variables(settings.load(zebra.layout), user, zebra.login())
    (tmp_path / "file").write_bytes(os.urandom(100_000))

    def swift(*arguments: str) -> str:
        command = [sys.executable, "-m", "swiftclient.shell", *arguments]
        done = subprocess.run(
            command, env={**CLEAN, **variables}, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    swift("upload", container, "file")
    assert swift("list", container) == "file\n"
    swift("download", container, "file", "--output", "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    assert "AUTH_test" in swift("stat")
    # Larger than a segment: a static large object.
    swift("upload", container, "file", "--object-name", "large", "--segment-size", "40000", "--use-slo")
    swift("download", container, "large", "--output", "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "file").read_bytes()
    swift("delete", container, "large")


def test_boto3(zebra: Zebra) -> None:
    s3 = s3_client(zebra)
    s3.create_bucket(Bucket="by-boto3")
    s3.put_object(Bucket="by-boto3", Key="a/b", Body=b"content", Metadata={"color": "red"})
    answer = s3.get_object(Bucket="by-boto3", Key="a/b")
    with answer["Body"] as body:
        assert body.read() == b"content"
    assert answer["Metadata"] == {"color": "red"}
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="by-boto3")["Contents"]] == ["a/b"]
    assert connect(zebra).names("by-boto3") == ["a/b"]
    s3.delete_object(Bucket="by-boto3", Key="a/b")
    s3.delete_bucket(Bucket="by-boto3")
    s3.close()


def test_who_may_what(zebra: Zebra, client: Client, container: str) -> None:
    client.put(f"{container}/o", b"mine")
    stranger, plain, operator = (connect(zebra, user) for user in ("test2:tester2", "test:tester3", "admin:admin"))
    assert stranger.url != client.url
    for other, status in ((stranger, 403), (plain, 403), (operator, 200)):
        assert Client(client.url, other.session.headers["X-Auth-Token"]).request("GET", f"{container}/o").status_code == status
    assert Client(client.url, None).request("GET", f"{container}/o").status_code == 401
    client.request("POST", container, X_Container_Read="test:tester3")
    assert Client(client.url, plain.session.headers["X-Auth-Token"]).request("GET", f"{container}/o").status_code == 200


def test_what_swift_can_do_besides(zebra: Zebra, client: Client, container: str) -> None:
    info = requests.get(f"{zebra.proxy_url}/info", timeout=30).json()
    for feature in ("s3api", "slo", "symlink", "staticweb", "tempurl", "versioned_writes", "bulk_upload", "account_quotas"):
        assert feature in info
    client.put(f"{container}/o", b"content", X_Object_Meta_Color="red")
    client.put(f"{container}/link", b"", X_Symlink_Target=f"{container}/o", Content_Type="application/symlink")
    assert client.get(f"{container}/link").content == b"content"
    client.request("COPY", f"{container}/o", Destination=f"{container}/copy")
    assert client.get(f"{container}/copy").headers["X-Object-Meta-Color"] == "red"


def listed(client: Client) -> list[tuple[str, int, int]]:
    """What an account knows of its containers: name, objects, bytes."""
    return [(entry["name"], entry["count"], entry["bytes"]) for entry in client.get("", Accept="application/json").json()]


def test_accounts_know_what_their_containers_hold(zebra: Zebra) -> None:
    other = connect(zebra, "test2:tester2")
    other.put_container("counted")
    other.put("counted/o", b"x" * 1000)
    try:
        assert wait_for(lambda: ("counted", 1, 1000) in listed(other), 60)
        assert wait_for(
            lambda: other.request("HEAD").headers["X-Account-Object-Count"] == str(sum(n for _, n, _ in listed(other)))
        )
    finally:
        other.request("DELETE", "counted/o")
        other.request("DELETE", "counted")


def test_unicode_names(client: Client, container: str) -> None:
    client.put(f"{container}/dé jà/Ω", b"x")
    assert client.names(container) == ["dé jà/Ω"]
    assert client.get(f"{container}/dé jà/Ω").content == b"x"


def test_the_log_is_complete(zebra: Zebra, client: Client, container: str) -> None:
    client.put(f"{container}/for-the-log", b"x")
    assert f"PUT /v1/AUTH_test/{container}/for-the-log" in zebra.log_text("proxy")
    assert sum(f"/AUTH_test/{container}/for-the-log" in zebra.log_text(f"node{node}") for node in range(1, 5)) >= 3


@pytest.mark.parametrize(("nodes", "together"), [(1, True), (3, False)])
def test_small_zebras_and_erasure_coding(tmp_path: Path, nodes: int, together: bool) -> None:
    with Zebra(tmp_path / "z", nodes, together=together, ec=nodes == 3, destroy=True) as small:
        assert [member.name for member in small.state().members] == (
            ["all"] if together else ["proxy", "node1", "node2", "node3"]
        )
        client = connect(small)
        policy = {} if together else {"X_Storage_Policy": "ec21"}
        client.put_container("c", **policy)
        content = os.urandom(2_500_000)
        client.put("c/o", content)
        assert client.get("c/o").content == content
        if not together:
            small.kill_node(2)
            assert client.get("c/o").content == content
    assert not (tmp_path / "z").exists()
