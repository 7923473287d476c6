"""Programs that are validated when they are stored, on a real cluster."""

from __future__ import annotations

import pytest

from tests import guests
from tests.cluster.conftest import Client
from tests.cluster.jobs import node, nothing_left, run
from zerocloud.zebra import Zebra

WASM = "application/wasm"


@pytest.fixture(autouse=True)
def _clean(zebra: Zebra):
    with nothing_left(zebra):
        yield


def valid(client: Client, path: str) -> str | None:
    return client.request("HEAD", path, X_Zerovm_Valid="true").headers.get("X-Zerovm-Valid")


def unheard_of(guest: str, mark: bytes) -> bytes:
    """A program that no cache has: a guest with a custom section."""
    return guests.compiled(guest) + b"\0" + bytes((len(mark) + 1, len(mark))) + mark


def test_a_program_is_marked_for_as_long_as_its_bytes_are_there(client: Client, container: str) -> None:
    path = f"{container}/program"
    made = client.put(path, unheard_of("copy", b"marked"), Content_Type=WASM, X_Zerovm_Validate="true")
    assert (made.headers.get("X-Zerovm-Valid"), valid(client, path)) == ("true", "true")
    shown = client.request("HEAD", path, X_Zerovm_Valid="true").headers
    assert not [name for name in shown if "sysmeta" in name.lower()]

    client.request("POST", path, X_Object_Meta_Mine="yes").raise_for_status()
    assert valid(client, path) == "true"
    client.request("PUT", f"{container}/whole", X_Copy_From=path).raise_for_status()
    client.request("PUT", f"{container}/part", X_Copy_From=path, Range="bytes=0-99").raise_for_status()
    assert (valid(client, f"{container}/whole"), valid(client, f"{container}/part")) == ("true", None)
    client.put(path, "something else", Content_Type=WASM)
    assert valid(client, path) is None


def test_no_client_can_mark_an_object(client: Client, container: str) -> None:
    etag = client.put(f"{container}/o", "no program").headers["Etag"].strip('"')
    forged = {"X-Object-Sysmeta-Zerovm-Valid": etag, "X-Object-Transient-Sysmeta-Zerovm-Valid": etag, "X-Zerovm-Valid": "true"}
    for method in ("PUT", "POST"):
        client.send(method, f"{container}/o", "no program", forged).raise_for_status()
        assert valid(client, f"{container}/o") is None


def test_what_is_no_program_is_stored_and_told(client: Client, container: str) -> None:
    made = client.put(f"{container}/o", b"\0asm no", Content_Type=WASM, X_Zerovm_Validate="true")
    assert (made.status_code, "X-Zerovm-Valid" in made.headers) == (201, False)
    assert "not a valid WebAssembly module" in made.headers["X-Zerovm-Invalid"]
    assert valid(client, f"{container}/o") is None
    told = client.request("POST", f"{container}/o", X_Zerovm_Validate="true")
    assert (told.status_code, "not a valid" in told.headers["X-Zerovm-Invalid"]) == (202, True)


def test_what_is_there_already_is_validated_by_a_post_and_runs_compiled(client: Client, container: str) -> None:
    path = f"{container}/program"
    client.put(path, unheard_of("copy", b"posted"), Content_Type=WASM)
    assert valid(client, path) is None
    told = client.request("POST", path, X_Zerovm_Validate="true")
    assert (told.status_code, told.headers.get("X-Zerovm-Valid"), valid(client, path)) == (202, "true", "true")
    devices = [{"name": "stdin", "path": f"swift://~/{path}"}, {"name": "stdout"}]  # so it runs where the program lies
    answer = run(client, node(f"swift://~/{path}", devices=devices))
    assert (answer.status_code, answer.headers["X-Nexe-Validation"]) == (200, "2")
