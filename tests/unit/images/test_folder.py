"""Images of folders: what can be one, and what can not."""

from __future__ import annotations

import os

import pytest

from tests.guests import compiled
from zerocloud.images import ImageError, build_folder, check_image


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tools/bin").mkdir(parents=True)
    (tmp_path / "tools/bin/copy").write_bytes(compiled("copy"))
    (tmp_path / "tools/data").write_text("words")
    (tmp_path / "tools/same").symlink_to("data")
    return tmp_path / "tools"


def test_a_folder_becomes_an_image(folder, tmp_path):
    described = build_folder("tools", folder, "bin/copy", tmp_path / "one.tar", "1.2")
    assert check_image(tmp_path / "one.tar").digests.keys() == {"bin/copy", "data", "same"}
    assert (described.version, described.program, described.warm) == ("1.2", "bin/copy", ())
    os.utime(folder / "data", (1, 1))
    build_folder("tools", folder, "/bin/copy", tmp_path / "two.tar", "1.2")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_an_image_in_its_folder_is_no_part_of_itself(folder):
    image = folder / "tools.tar"
    build_folder("tools", folder, "bin/copy", image)
    first = image.read_bytes()
    build_folder("tools", folder, "bin/copy", image)
    assert image.read_bytes() == first


@pytest.mark.parametrize(
    ("name", "program", "words"),
    [
        ("tools", "bin/none", "There is no bin/none in"),
        ("tools", "data", "is no WebAssembly module"),
        ("image", "bin/copy", "that of a device that all nodes know"),
        ("nvram", "bin/copy", "that of a device that all nodes know"),
        ("a b", "bin/copy", "can't be an image's name"),
        ("../up", "bin/copy", "can't be an image's name"),
    ],
)
def test_what_is_no_image(folder, tmp_path, name, program, words):
    with pytest.raises(ImageError, match=words):
        build_folder(name, folder, program, tmp_path / "image.tar")
    assert not (tmp_path / "image.tar").exists()


def test_what_can_not_be_a_member(folder, tmp_path):
    (folder / "out").symlink_to("/etc/passwd")
    with pytest.raises(ImageError, match="out leads out of"):
        build_folder("tools", folder, "bin/copy", tmp_path / "image.tar")
    (folder / "out").unlink()
    (folder / "lib").symlink_to("bin")
    with pytest.raises(ImageError, match="lib is a link to a folder"):
        build_folder("tools", folder, "bin/copy", tmp_path / "image.tar")
    (folder / "lib").unlink()
    (folder / ("x" * 200)).write_text("long")
    with pytest.raises(ImageError, match="can't be put into an archive"):
        build_folder("tools", folder, "bin/copy", tmp_path / "image.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["tools"]
