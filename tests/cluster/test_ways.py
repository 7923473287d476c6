"""The ways in on a real cluster, by HTTP: archives, scripts, addresses; two users and nobody; what no guest may say."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator

import pytest
import requests

from tests import guests
from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import nothing_left
from zerocloud.zebra import Zebra

TAR = "application/x-tar"
CGI = (
    b"Status: 201 Made\r\nContent-Type: text/x-made\r\nX-Mine: yes\r\nX-Backend-Evil: 1\r\nX-Object-Sysmeta-Evil: 1\r\n"
    b"Connection: close\r\nTransfer-Encoding: chunked\r\nX-Nexe-Status: forged\r\nX-Zerovm-Job: forged\r\n\r\nhello"
)


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


@pytest.fixture
def stranger(zebra: Zebra) -> Iterator[Client]:
    """Another user, who looks at the first one's account."""
    own = connect(zebra)
    other = zebra.login("test2:tester2")
    client = Client(own.url, other.token)
    own.close()
    yield client
    client.close()


@pytest.fixture
def nobody(client: Client) -> Iterator[Client]:
    """Somebody without a token, at the first one's account."""
    anonymous = Client(client.url, None)
    yield anonymous
    anonymous.close()


def archive(program: str, *devices: dict, **files: bytes) -> bytes:
    """A zapp: a guest of the tests, its map, and files whose names have ``_`` for a dot."""
    group = {"name": "app", "exec": {"path": "file://bin/app"}, "devices": list(devices)}
    members = {"boot/system.map": json.dumps([group]).encode(), "bin/app": guests.compiled(program)}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in {**files, **members}.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def at(client: Client, version: str, path: str) -> str:
    """The address of a program: the client's account under another version."""
    base, _, account = client.url.rpartition("/v1/")
    return f"{base}/{version}/{account}/{path}"


def send(client: Client, method: str, url: str, body: bytes = b"", **headers: str) -> requests.Response:
    return client.session.request(method, url, data=body, headers=headers, timeout=60)


def test_an_archive_brings_its_program_and_its_map(client: Client) -> None:
    body = archive("arguments", {"name": "stdout"}, large_bin=bytes(400_000))
    answer = client.execute(body, TAR)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"app\0")


def test_a_script_runs_for_every_object_of_a_pattern(client: Client, container: str) -> None:
    client.put(f"{container}/copy", guests.compiled("copy"))
    for name in ("b.log", "a.log", "c.txt"):
        client.put(f"{container}/{name}", f"<{name}>")
    script = f"#!swift://~/{container}/copy\n"
    for path, expected in ((f"{container}/*.log", "<a.log><b.log>"), (f"{container}/c.txt", "<c.txt>")):
        answer = client.request("POST", path, script, X_Zerovm_Execute="1.0", Content_Type="text/x-script")
        assert (answer.status_code, answer.text) == (200, expected)


def test_a_payload_goes_through_the_program_of_a_source(client: Client, container: str) -> None:
    body = archive("copy", {"name": "stdin"}, {"name": "stdout", "content_type": "text/x-echo"})
    client.put(f"{container}/zapp", body, Content_Type=TAR)
    payload = b"payload" * 100_000
    answer = client.execute(payload, "text/plain", X_Zerovm_Source=f"swift://~/{container}/zapp")
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, payload, "text/x-echo")


def test_an_address_is_a_program_that_answers_as_it_likes(client: Client, container: str) -> None:
    body = archive("copy", {"name": "stdin"}, {"name": "stdout", "content_type": "message/cgi"})
    client.put(f"{container}/zapp", body, Content_Type=TAR)
    account = client.url.rpartition("/")[2]
    client.request("POST", container, X_Container_Meta_Rest_Endpoint=f"swift://{account}/{container}/zapp").raise_for_status()
    for url in (at(client, "api", f"{container}/any/where?x=1"), at(client, "open", f"{container}/zapp")):
        answer = send(client, "PUT", url, CGI)
        assert (answer.status_code, answer.text) == (201, "hello")
        assert (answer.headers["Content-Type"], answer.headers["X-Mine"]) == ("text/x-made", "yes")
        for name in ("X-Backend-Evil", "X-Object-Sysmeta-Evil"):
            assert name not in answer.headers
        assert answer.headers["X-Nexe-Status"] == "ok"
        assert answer.headers["X-Zerovm-Job"] != "forged"
    assert send(client, "GET", at(client, "api", container), b"").status_code == 200


def test_swift_tells_pages_of_other_origins_whether_they_may_ask(client: Client, nobody: Client, container: str) -> None:
    client.request("POST", container, X_Container_Meta_Access_Control_Allow_Origin="https://shop.example").raise_for_status()
    for url in (at(client, "api", f"{container}/any/where?x=1"), at(client, "open", f"{container}/zapp")):
        asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "x-auth-token"}
        answers = [
            send(nobody, "OPTIONS", url, Origin=origin, **asked) for origin in ("https://shop.example", "https://evil.example")
        ]
        assert [answer.status_code for answer in answers] == [200, 401]
        assert answers[0].headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "Access-Control-Allow-Origin" not in answers[1].headers


def test_an_object_is_opened_by_the_program_of_its_type(client: Client, container: str) -> None:
    client.put(f"{container}/copy", guests.compiled("copy"), Content_Type="application/wasm")
    client.put(f"{container}/o", "content", Content_Type="text/x-opened")
    template = [
        {
            "name": "viewer",
            "exec": {"path": f"swift://~/{container}/copy"},
            "devices": [{"name": "stdin", "path": "{.object_path}"}, {"name": "stdout", "content_type": "{.as=text/x-seen}"}],
        }
    ]
    assert send(client, "GET", at(client, "open", f"{container}/o")).status_code == 404
    client.put_container(".zvm")
    client.put(".zvm/text/x-opened/config", json.dumps(template))
    answer = send(client, "GET", at(client, "open", f"{container}/o?as=text/x-mine"))
    assert (answer.status_code, answer.text, answer.headers["Content-Type"]) == (200, "content", "text/x-mine")
    client.request("DELETE", ".zvm/text/x-opened/config")


def test_a_grant_lets_others_in_and_no_further(
    client: Client, stranger: Client, nobody: Client, container: str, request: pytest.FixtureRequest
) -> None:
    account = client.url.rpartition("/")[2]
    zapp = f"swift://{account}/{container}/zapp"
    url = at(client, "api", f"{container}/x")
    device = {"name": "stdin", "path": f"swift://{account}/{container}/data"}
    client.put(f"{container}/data", "shared")
    client.put(f"{container}/zapp", archive("copy", device, {"name": "stdout"}), Content_Type=TAR)
    client.request("POST", container, X_Container_Meta_Rest_Endpoint=zapp).raise_for_status()
    assert send(client, "GET", url).text == "shared"
    assert (send(stranger, "GET", url).status_code, send(nobody, "GET", url).status_code) == (403, 401)
    client.request("POST", container, X_Container_Meta_Zerovm_Suid="test2:tester2").raise_for_status()
    assert send(stranger, "GET", url).text == "shared"
    assert send(nobody, "GET", url).status_code == 401
    assert stranger.request("GET", f"{container}/data").status_code == 403
    client.request("POST", container, X_Container_Meta_Zerovm_Suid=".r:*").raise_for_status()
    assert send(nobody, "GET", url).text == "shared"
    for address in (url, at(client, "open", f"{container}/zapp")):  # it would be written over what the address names
        deferred = {"X-Zerovm-Deferred": "always"}
        refused = [send(guest, "GET", address, **deferred).status_code for guest in (stranger, nobody)]
        assert refused == [403, 401]

    private = client.put_container(f"{container}-private")
    request.addfinalizer(lambda: [client.request("DELETE", f"{private}/{name}") for name in ("secret", "part")])
    client.put(f"{private}/secret", "secret")
    for name, headers, query in (
        ("link", {"X-Symlink-Target": f"{private}/secret"}, ""),
        ("large", {}, "?multipart-manifest=put"),
    ):
        manifest = json.dumps([{"path": f"/{private}/secret"}]) if query else ""
        made = client.session.put(f"{client.url}/{container}/{name}{query}", data=manifest, headers=headers, timeout=60)
        assert made.status_code == 201, made.text
        device["path"] = f"swift://{account}/{container}/{name}"
        client.put(f"{container}/zapp", archive("copy", device, {"name": "stdout"}), Content_Type=TAR)
        assert send(client, "GET", url).text == "secret"
        answer = send(stranger, "GET", url)
        assert (answer.status_code >= 400, "secret" in answer.text.replace("/secret", "")) == (True, False), name


def test_a_dynamic_large_object_under_a_grant(
    client: Client, stranger: Client, nobody: Client, container: str, request: pytest.FixtureRequest
) -> None:
    """A job reads three things of it: the manifest, the list of its segments, and them."""
    account, whole = client.url.rpartition("/")[2], "first\nsecond\nthird\n"
    zapp, parts = f"swift://{account}/{container}/zapp", client.put_container(f"{container}-parts")
    request.addfinalizer(lambda: [client.request("DELETE", f"{parts}{name}") for name in ("/of/1", "/of/2", "")])
    client.put(f"{parts}/of/1", whole[:9])
    client.put(f"{parts}/of/2", whole[9:])
    client.put(f"{container}/large", b"", X_Object_Manifest=f"{parts}/of/")
    url = at(client, "api", f"{container}/x")

    def deploy(**keys: object) -> None:
        device = {"name": "stdin", "path": f"swift://{account}/{container}/large", **keys}
        client.put(f"{container}/zapp", archive("copy", device, {"name": "stdout"}), Content_Type=TAR)

    def grant(where: str, whom: str) -> None:
        client.request("POST", where, X_Container_Meta_Rest_Endpoint=zapp, X_Container_Meta_Zerovm_Suid=whom).raise_for_status()

    def told(who: Client) -> int | str:
        answer = send(who, "GET", url)
        assert answer.status_code == 200 or "first" not in answer.text
        return answer.text if answer.status_code == 200 else answer.status_code

    for keys, refused in (({}, 403), ({"split": {"size": 8, "on": "line"}}, 400)):  # the map can't be laid out without its size
        deploy(**keys)
        grant(parts, "nobody")
        grant(container, "test2:tester2")
        assert (told(client), told(stranger)) == (whole, refused)
        grant(parts, "test2:tester2")
        assert (told(stranger), told(nobody)) == (whole, 401)
    deploy()
    grant(container, ".r:*")
    grant(parts, ".r:*")
    assert told(nobody) == 401  # everybody may read the segments, but not ask which they are
    grant(parts, ".r:*,.rlistings")
    assert told(nobody) == whole


def test_no_listing_of_what_can_not_be_listed(client: Client, stranger: Client, container: str) -> None:
    account = client.url.rpartition("/")[2]
    client.put(f"{container}/o", "x")
    client.request("POST", container, X_Container_Read="test2:tester2").raise_for_status()
    own = Client(client.url.replace(account, f"{account}2"), stranger.session.headers["X-Auth-Token"])
    own.put_container("programs")
    own.put("programs/copy", guests.compiled("copy"))
    for path in (f"swift://{account}/{container}/*", f"swift://{account}/*/o"):
        group = {
            "name": "n",
            "exec": {"path": "swift://~/programs/copy"},
            "devices": [{"name": "stdin", "path": path}, {"name": "stdout"}],
        }
        answer = own.execute(json.dumps([group]))
        assert (answer.status_code, answer.text == "x") == (400 if "*/o" in path else 200, "*/o" not in path), answer.text
    client.request("POST", container, X_Container_Read="test2:nobody").raise_for_status()
    group["devices"][0]["path"] = f"swift://{account}/{container}/*"
    assert own.execute(json.dumps([group])).status_code in (400, 403)
    own.request("DELETE", "programs/copy")
    own.request("DELETE", "programs")
    own.close()


def test_links_lead_nowhere_that_their_reader_may_not_go(
    client: Client, stranger: Client, container: str, request: pytest.FixtureRequest
) -> None:
    """By an access list somebody reads a container: not what its links, manifests and dynamic objects are made of elsewhere."""
    account, token = client.url.rpartition("/")[2], stranger.session.headers["X-Auth-Token"]
    own = Client(client.url.replace(account, f"{account}2"), str(token))
    private, mine = client.put_container(f"{container}-private"), own.put_container(container)
    request.addfinalizer(lambda: [client.request("DELETE", f"{private}{name}") for name in ("/secret", "")])
    client.put(f"{private}/secret", "secret")
    client.request("POST", container, X_Container_Read="test2:tester2").raise_for_status()
    client.put(f"{container}/plain", "secret")
    client.put(f"{container}/link", b"", X_Symlink_Target=f"{private}/secret")
    client.put(f"{container}/dynamic", b"", X_Object_Manifest=f"{private}/secret")
    manifest = json.dumps([{"path": f"/{private}/secret"}])
    client.session.put(f"{client.url}/{container}/large?multipart-manifest=put", data=manifest, timeout=60).raise_for_status()
    own.put(f"{mine}/link", b"", X_Symlink_Target=f"{private}/secret", X_Symlink_Target_Account=account)
    own.put(f"{mine}/copy", guests.compiled("copy"))
    readable = {f"swift://{account}/{container}/plain"}
    links = {f"swift://{account}/{container}/{name}" for name in ("link", "dynamic", "large")} | {f"swift://~/{mine}/link"}
    for path in sorted(readable | links):
        for keys in ({}, {"split": {"size": 3}}):
            device = {"name": "stdin", "path": path, **keys}
            group = {"name": "n", "exec": {"path": f"swift://~/{mine}/copy"}, "devices": [device, {"name": "stdout"}]}
            answer = own.execute(json.dumps([group]))
            seen = "secret" in answer.text.replace("/secret", "")
            assert (answer.status_code == 200, seen) == (path in readable,) * 2, (path, answer.text)
    for name in ("link", "copy", ""):
        own.request("DELETE", f"{mine}/{name}".rstrip("/"))
    own.close()
