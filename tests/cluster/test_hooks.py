"""Hooks on a real cluster: what clients read and write goes through programs."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import secrets
import signal
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests import guests
from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, nothing_left, run
from tests.cluster.s3 import s3_client
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
        name = f"hooked-{secrets.token_hex(4)}"  # a name that S3 takes, too
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


def test_hooks_by_s3(zebra: Zebra, client: Client, container: str, hooked: Callable[..., str]) -> None:
    s3 = s3_client(zebra)
    read = hooked("On-Get", {"name": "stdin"}, {"name": "stdout", "content_type": "text/x-seen"})
    s3.put_object(Bucket=read, Key="o", Body=b"0123456789")
    with s3.get_object(Bucket=read, Key="o", Range="bytes=2-4")["Body"] as body:
        assert body.read() == b"234"
    assert s3.head_object(Bucket=read, Key="o")["ContentType"] == "text/x-seen"

    written = hooked("On-Put", {"name": "stdin"}, {"name": "stdout", "content_type": "message/cgi"})
    s3.put_object(Bucket=written, Key="o", Body=b"Content-Type: text/x-made\r\nX-Object-Meta-Mine: yes\r\n\r\nbody")
    with s3.get_object(Bucket=written, Key="o")["Body"] as body:
        assert body.read() == b"body"
    assert s3.head_object(Bucket=written, Key="o")["Metadata"] == {"mine": "yes"}
    with pytest.raises(ClientError):  # S3 has no word for a zapp's refusal, so its status there is a 500
        s3.put_object(Bucket=written, Key="no", Body=b"Status: 422 No\r\n\r\nnot this")
    with pytest.raises(ClientError):  # what is put together of parts does not pass through a zapp
        in_parts(s3, written)
    with pytest.raises(ClientError):
        s3.copy_object(Bucket=written, Key="copy", CopySource={"Bucket": read, "Key": "o"})
    assert client.names(written) == ["o"]

    output = {"name": "stdout", "path": f"swift://~/{container}/copied"}
    followed = hooked("After-Put", {"name": "stdin"}, output)
    in_parts(s3, followed)
    wait_for(lambda: "copied" in client.names(container), "the hook's output")
    assert client.get(f"{container}/copied").content == bytes(5 << 20) + b"end"
    for upload in s3.list_multipart_uploads(Bucket=written).get("Uploads", ()):
        s3.abort_multipart_upload(Bucket=written, Key=upload["Key"], UploadId=upload["UploadId"])


def in_parts(s3: Any, bucket: str) -> None:
    """A multipart upload of two parts."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
    parts = []
    for number, data in ((1, bytes(5 << 20)), (2, b"end")):
        sent = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=number, Body=data)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload={"Parts": parts})


def test_no_way_of_storing_passes_a_hook_by(client: Client, container: str, hooked: Callable[..., str]) -> None:
    """Copies, manifests and links are refused; archives, temporary URLs and versions are stored through it."""
    name = hooked("On-Put", {"name": "stdin"}, {"name": "stdout", "content_type": "message/cgi"})
    made = b"Content-Type: text/x-made\r\n\r\n"
    source = f"{container}/On-Put"
    references = (
        client.request("COPY", source, Destination=f"{name}/copy"),
        client.request("PUT", f"{name}/copy", X_Copy_From=source),
        client.request("PUT", f"{name}/link", X_Symlink_Target=source),
        client.request("PUT", f"{name}/dlo", X_Object_Manifest=f"{container}/On"),
        client.session.put(f"{client.url}/{name}/slo?multipart-manifest=put", data=json.dumps([{"path": f"/{source}"}])),
    )
    assert ([answer.status_code for answer in references], client.names(name)) == ([501] * 5, [])

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for member, text in (("one", b"1"), ("two", b"2")):
            info = tarfile.TarInfo(member)
            info.size = len(made + text)
            tar.addfile(info, io.BytesIO(made + text))
    client.session.put(f"{client.url}/{name}?extract-archive=tar", data=stream.getvalue()).raise_for_status()
    assert [client.get(f"{name}/{member}").content for member in ("one", "two")] == [b"1", b"2"]

    put = temporary_url(client, "PUT", f"{name}/by-url")
    requests.put(put, data=made + b"url", timeout=60).raise_for_status()
    assert client.get(f"{name}/by-url").headers["Content-Type"] == "text/x-made"

    client.request("POST", name, X_Versions_Enabled="true").raise_for_status()
    versions = [client.put(f"{name}/v", made + text).headers["X-Object-Version-Id"] for text in (b"old", b"new")]
    seen = [client.session.get(f"{client.url}/{name}/v?version-id={version}").content for version in versions]
    assert seen == [b"old", b"new"]
    client.request("POST", name, X_Versions_Enabled="false").raise_for_status()
    for version in versions:
        client.session.delete(f"{client.url}/{name}/v?version-id={version}")


def temporary_url(client: Client, method: str, path: str) -> str:
    """A URL that lets anybody do this for a minute."""
    key, until = "secret", int(time.time()) + 60
    client.request("POST", "", X_Account_Meta_Temp_Url_Key=key).raise_for_status()
    base, _, account = client.url.rpartition("/v1/")
    text = f"{method}\n{until}\n/v1/{account}/{path}"
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{base}/v1/{account}/{path}?temp_url_sig={signature}&temp_url_expires={until}"


def test_who_may_read_sees_what_the_program_makes_and_nothing_else(
    zebra: Zebra, client: Client, container: str, hooked: Callable[..., str]
) -> None:
    """An attack for each way of reading that does not ask for the object by its name."""
    other = zebra.login("test2:tester2")
    stranger = Client(other.storage_url, other.token)
    name = hooked("On-Get", {"name": "stdout"}, program="arguments")  # it says something else
    client.put(f"{name}/secret", "the secret")
    client.request("POST", name, X_Container_Read="test2:tester2,.rlistings").raise_for_status()
    account, theirs = (one.url.rpartition("/")[2] for one in (client, stranger))
    url = f"{client.url}/{name}/secret"

    def hidden(answer: requests.Response) -> bool:
        return "the secret" not in answer.text

    for address in (url, url.replace("/v1/", "/v1.0/")):
        seen = stranger.session.get(address)
        assert (seen.status_code, hidden(seen)) == (200, True)
    assert hidden(requests.get(temporary_url(client, "GET", f"{name}/secret"), timeout=60))

    mine = stranger.put_container("mine")
    stranger.put(f"{mine}/program", guests.compiled("copy"))
    stranger.request("PUT", f"{mine}/link", X_Symlink_Target=f"{name}/secret", X_Symlink_Target_Account=account)
    attempts = {
        "raw": stranger.session.get(url, headers={"X-Zerovm-Raw": "true"}),
        "copy": stranger.request("PUT", f"{mine}/copy", X_Copy_From=f"{name}/secret", X_Copy_From_Account=account),
        "COPY": stranger.session.request("COPY", url, headers={"Destination": f"{mine}/c", "Destination-Account": theirs}),
        "link": stranger.request("GET", f"{mine}/link"),
    }
    for device in ("stdin", "input"):
        devices = [{"name": device, "path": f"swift://{account}/{name}/secret"}, {"name": "stdout"}]
        attempts[device] = run(stranger, node(f"swift://~/{mine}/program", devices=devices))
    outcomes = {kind: (answer.status_code, hidden(answer)) for kind, answer in attempts.items()}
    assert outcomes == dict.fromkeys(attempts, (403, True))

    client.request("POST", name, X_Container_Write="test2:tester2").raise_for_status()
    stranger.session.put(f"{client.url}/{name}/theirs", data="x").raise_for_status()
    for key in ("Zerovm-On-Get", "Zerovm-On-Put", "Zerovm-After-Put", "Zerovm-Suid", "Rest-Endpoint"):
        for method in ("POST", "PUT"):
            headers = {f"X-Container-Meta-{key}": f"swift://{theirs}/{mine}/program"}
            assert stranger.session.request(method, f"{client.url}/{name}", headers=headers).status_code == 403

    for manifest, headers in (("slo?multipart-manifest=put", {}), ("dlo", {"X-Object-Manifest": f"{name}/secret"})):
        segments = json.dumps([{"path": f"/{name}/secret"}]) if not headers else ""
        client.session.put(f"{client.url}/{container}/{manifest}", data=segments, headers=headers).raise_for_status()
    client.request("POST", container, X_Container_Read="test2:tester2").raise_for_status()
    for large in ("slo", "dlo"):
        assert client.get(f"{container}/{large}").text == "the secret"
        answer = stranger.session.get(f"{client.url}/{container}/{large}")
        assert (answer.status_code >= 400, hidden(answer)) == (True, True), large
    assert client.get(f"{name}/secret", X_Zerovm_Raw="true").text == "the secret"

    for entry in stranger.names(mine):
        stranger.request("DELETE", f"{mine}/{entry}")
    stranger.request("DELETE", mine)
    stranger.close()


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
