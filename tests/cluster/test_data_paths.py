"""Objects whose bytes do not lie on a disk as they are, and what happens to bytes while jobs run, on a real cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import simplejson

from tests.cluster.conftest import Client, connect
from tests.cluster.jobs import node, nothing_left, program, run, sessions, stdin, stdout
from zerocloud.zebra import Zebra

LINES = b"".join(b"line %06d\n" % number for number in range(20_000))
TYPE = "text/x-lines"
PIECES = [LINES[:100_000], LINES[100_000:150_001], LINES[150_001:]]  # in the middle of lines
KINDS = ("plain", "slo", "dlo", "symlink", "ec", "symlink to slo")
MEMORY = 48 << 10  # KiB
LARGE = 128 << 20


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    """A Zebra with an erasure-coded policy beside the ordinary one."""
    with Zebra(tmp_path_factory.mktemp("paths") / "zebra", nodes=4, ec=True, destroy=True) as zebra:
        yield zebra


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    """A small Zebra that encrypts what it stores."""
    place = tmp_path_factory.mktemp("encrypted") / "zebra"
    with Zebra(place, nodes=1, encrypt=True, together=True, destroy=True) as zebra:
        yield zebra


@pytest.fixture
def client(own: Zebra) -> Iterator[Client]:
    one = connect(own)
    with nothing_left(own):
        yield one
    one.close()


def store(client: Client, container: str, kind: str) -> str:
    """The lines as an object of this kind; its container and name."""
    for number, piece in enumerate(PIECES):
        client.put(f"{container}/segments/{number}", piece)
    manifest = [{"path": f"/{container}/segments/{number}"} for number in range(len(PIECES))]
    if "slo" in kind:
        target = f"{client.url}/{container}/slo?multipart-manifest=put"
        client.session.put(target, data=simplejson.dumps(manifest), headers={"Content-Type": TYPE}).raise_for_status()
    match kind:
        case "slo":
            return f"{container}/slo"
        case "dlo":
            client.put(f"{container}/dlo", b"", Content_Type=TYPE, X_Object_Manifest=f"{container}/segments/")
            return f"{container}/dlo"
        case "symlink" | "symlink to slo":
            target = f"{container}/slo" if "slo" in kind else f"{container}/plain"
            client.put(f"{container}/plain", LINES, Content_Type=TYPE)
            client.put(f"{container}/link", b"", X_Symlink_Target=target)
            return f"{container}/link"
        case "ec":
            client.put_container(f"{container}-ec", X_Storage_Policy="ec21")
            client.put(f"{container}-ec/lines", LINES, Content_Type=TYPE)
            return f"{container}-ec/lines"
    client.put(f"{container}/plain", LINES, Content_Type=TYPE)
    return f"{container}/plain"


def check(client: Client, container: str, kind: str) -> None:
    """The object comes whole as an input, and its parts make up the whole."""
    copy, path = program(client, container, "copy"), store(client, container, kind)
    device = stdin(*path.split("/", 1))
    whole = run(client, node(copy, devices=[device, stdout()]))
    assert (whole.status_code, whole.content == LINES) == (200, True), whole.text[:1000]
    parts = run(client, node(copy, devices=[{**device, "split": {"size": 70_000, "on": "line"}}, stdout()]))
    assert (parts.status_code, parts.content == LINES) == (200, True), parts.text[:1000]
    arguments, split = program(client, container, "arguments"), {**device, "split": {"size": 70_000, "on": "line"}}
    groups = (node(arguments, name, devices=[one, stdout()]) for name, one in (("whole", device), ("parts", split)))
    words = [word for word in run(client, *groups).text.split("\0") if word.startswith(("LOCAL_CONTENT", "LOCAL_PATH_INFO"))]
    here = f"LOCAL_PATH_INFO={client.url[client.url.index('/AUTH_') :]}/{path}"
    assert set(words) == {f"LOCAL_CONTENT_LENGTH={len(LINES)}", f"LOCAL_CONTENT_TYPE={TYPE}", here}
    cuts = 5 if "slo" in kind else 4  # segments are cut each by itself
    assert len(parts.headers["X-Nexe-System"].split(",")) == cuts


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_object_as_input_and_split(client: Client, container: str, kind: str) -> None:
    check(client, container, kind)
    if kind == "ec":
        client.request("DELETE", f"{container}-ec/lines")
        client.request("DELETE", f"{container}-ec")


def test_encrypted_objects(encrypted: Zebra) -> None:
    client = connect(encrypted)
    check(client, client.put_container("secrets"), "plain")
    stored = b"".join(path.read_bytes() for path in encrypted.layout.directory.glob("node1/d1/objects/**/*.data"))
    assert b"line 000001" not in stored
    client.close()


def test_an_object_that_is_overwritten_while_its_session_runs(own: Zebra, client: Client, container: str) -> None:
    linger = program(client, container, "linger")
    client.put(f"{container}/in", b"as it was")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(run, client, node(linger, devices=[stdin(container, "in"), stdout()]))
        while not sessions(own):
            assert not answer.done()
        connect(own).put(f"{container}/in", b"as it became")
        result = answer.result()
    assert (result.status_code, result.content) == (200, b"as it was"), result.text


def test_memory_stays_the_same_while_large_objects_pass(own: Zebra, client: Client, container: str) -> None:
    copy = program(client, container, "copy")
    other = client.put_container(f"{container}-ec", X_Storage_Policy="ec21")
    client.session.put(f"{client.url}/{other}/large", data=_pieces(LARGE)).raise_for_status()
    output = stdout(path=f"swift://~/{container}/large")
    run(client, node(copy, devices=[stdin(container, "copy"), output])).raise_for_status()
    before = _peaks(own)
    answer = run(client, node(copy, devices=[stdin(other, "large"), output]))
    assert answer.status_code == 200, answer.text
    assert int(client.request("HEAD", f"{container}/large").headers["Content-Length"]) == LARGE
    grown = {name: peak - before[name] for name, peak in _peaks(own).items()}
    assert max(grown.values()) < MEMORY, grown
    client.request("DELETE", f"{other}/large")
    client.request("DELETE", other)


def _pieces(size: int) -> Iterator[bytes]:
    piece = os.urandom(1 << 20)
    for _ in range(size >> 20):
        yield piece


def _peaks(zebra: Zebra) -> dict[str, int]:
    """The most memory that each process has had resident, in KiB."""
    peaks = {}
    for member in zebra.state().members:
        lines = Path(f"/proc/{member.process.pid}/status").read_text().splitlines()
        peaks[member.name] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return peaks
