"""System images: tar archives of the operator's, whose programs and files are at hand on every server."""

import io
import os
import tarfile

import pytest

from tests.guests import compiled
from zerocloud import wire
from zerocloud.images import archive
from zerocloud.images.archive import Description, File

from .conftest import RANDOM_READ, READ, STDOUT, device, node, storage_server

TOOLS = device("tools", RANDOM_READ)


def write_image(path, **programs):
    """Replace an image as operators should: by a new file that takes its name."""
    with tarfile.open(path.with_suffix(".new"), "w") as tar:
        for name, guest in programs.items():
            data = compiled(guest)
            info = tarfile.TarInfo(f"./bin/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    os.replace(path.with_suffix(".new"), path)


@pytest.fixture(scope="module")
def equipped(tmp_path_factory):
    root = tmp_path_factory.mktemp("equipped")
    write_image(root / "tools.tar", copy="copy")
    images = f"tools {root}/tools.tar gone {root}/gone.tar"
    with storage_server(root, zerovm_sysimage_devices=images) as server:
        yield server


def run(server, exe, *channels, members=()):
    described = node(*channels, device("stdin", READ), STDOUT, exe=exe)
    return server.post("/a", [("sysmap", described.to_json()), *members])


def test_a_program_of_a_system_image(equipped):
    for _ in range(2):
        answer = run(equipped, "file://tools:bin/copy", TOOLS, members=[("stdin", b"in")])
        assert answer.members == {"stdout": b"in"}, answer


def test_a_program_that_the_image_lacks(equipped):
    answer = run(equipped, "file://tools:bin/absent", TOOLS)
    assert (answer.status, answer.body) == (
        400,
        b"No executable found in request: file://tools:bin/absent is neither here nor sent",
    )


def test_an_image_of_an_unknown_name(equipped):
    assert run(equipped, "file://other:bin/copy").status == 400
    answer = run(equipped, "file://tools:bin/copy", device("other", RANDOM_READ))
    assert answer.body == b'Could not resolve channel path "" for device: other'


def test_an_image_whose_file_is_gone(equipped):
    answer = run(equipped, "file://gone:bin/copy")
    assert (answer.status, answer.body) == (500, b"System image does not exist: gone (No such file or directory)")


def test_a_changed_image_is_noticed(equipped):
    run(equipped, "file://tools:bin/copy", TOOLS)
    write_image(equipped.root / "tools.tar", copy="exit-3")
    assert run(equipped, "file://tools:bin/copy", TOOLS).headers[wire.RETCODE] == "3"
    write_image(equipped.root / "tools.tar", copy="copy")


def test_an_image_is_mounted_and_open_as_a_device(equipped):
    answer = run(equipped, "file://tools:bin/copy", TOOLS)
    assert answer.headers[wire.STATUS] == "ok"


def test_a_replaced_image_is_described_anew(equipped):
    """Without a restart: what comes before a session's arguments is that of the image that is there now."""
    for prelude in ("first", "second"):
        described = Description("tools", "1", "bin/arguments", (prelude,))
        archive.write_image(equipped.root / "new", described, [File("bin/arguments", compiled("arguments"), program=True)])
        os.replace(equipped.root / "new", equipped.root / "tools.tar")
        answer = run(equipped, "file://tools:bin/arguments", TOOLS)
        assert prelude.encode() in answer.members["stdout"].split(b"\0"), answer
    write_image(equipped.root / "tools.tar", copy="copy")
