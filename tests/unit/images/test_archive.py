"""Images as files: the same bytes from the same content, and nothing believed that is not so."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.images import Description, File, ImageError, Warm, check_image, read_description, write_image
from zerocloud.images.archive import DESCRIPTION

PYTHON = Description("python", "1.0", "bin/python", ("-c", "start"), (Warm(("-c", "become")), Warm(("-c",), lean=True)))


def files(tmp_path):
    (tmp_path / "library").write_bytes(b"l" * 3000)
    return [File("bin/python", b"\0asm", program=True), File("lib/library", tmp_path / "library"), File("licences/a", b"free")]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    write_image(one, PYTHON, files(tmp_path))
    (tmp_path / "library").touch()
    write_image(two, PYTHON, reversed(files(tmp_path)))
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as archive:
        assert archive.getnames() == [DESCRIPTION, "bin/python", "lib/library", "licences/a"]
        assert [(member.mtime, member.uid, member.uname) for member in archive] == [(0, 0, "")] * 4
        assert [member.mode for member in archive] == [0o644, 0o755, 0o644, 0o644]
    assert check_image(one) == read_description(one)
    assert read_description(one).warm == PYTHON.warm


def test_an_image_without_its_program_is_none(tmp_path):
    with pytest.raises(ImageError, match="bin/python"):
        write_image(tmp_path / "image.tar", PYTHON, [File("other", b"")])
    assert list(tmp_path.iterdir()) == []


def test_nothing_half_written_stays(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_image(tmp_path / "image.tar", PYTHON, [File("bin/python", tmp_path / "missing")])
    assert list(tmp_path.iterdir()) == []


def changed(path, member, data):
    """The image with another content of a member, or without it."""
    stream = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=stream, mode="w") as new:
        for header in old:
            content = old.extractfile(header).read()
            if header.name == member:
                if data is None:
                    continue
                content, header.size = data, len(data)
            new.addfile(header, io.BytesIO(content))
    path.write_bytes(stream.getvalue())


@pytest.mark.parametrize(
    ("member", "data", "words"),
    [
        ("bin/python", b"\0evil", "bin/python is not what"),
        ("lib/library", None, "lacks lib/library"),
        (DESCRIPTION, None, "is no image of ZeroCloud"),
        (DESCRIPTION, b"{", "can't be read"),
        (DESCRIPTION, b'{"format": 9}', "format 9"),
        (DESCRIPTION, b" " * (5 << 20), "the limit is 4194304"),
    ],
)
def test_what_was_changed_is_found(tmp_path, member, data, words):
    path = tmp_path / "image.tar"
    write_image(path, PYTHON, files(tmp_path))
    changed(path, member, data)
    with pytest.raises(ImageError, match=words):
        check_image(path)


@pytest.mark.parametrize("data", [b"", b"no archive" * 100])
def test_other_files_are_no_images(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ImageError):
        read_description(tmp_path / "x")


VALUES = st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda value: repr(value).encode())


@given(st.binary(max_size=300) | VALUES)
def test_any_description_is_read_or_refused(text):
    try:
        Description.from_json(text)
    except ImageError:
        pass
