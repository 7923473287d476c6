import gzip
import io
import os
import random
import tarfile
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_tarwalk import Stream, archive
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.unpack import inflate, receive
from zerocloud.objectquery.workspace import Workspace, is_full


class Body(Stream):
    def drain(self):
        while self.read(4096):
            pass


@pytest.fixture
def taken(tmp_path):
    stack = ExitStack()

    def take(data, most_inflated=1 << 20):
        members = receive(Body(data), Workspace(str(tmp_path / "tmp")), most_inflated, stack)
        return members, {name: os.pread(file.fileno(), 1 << 20, 0) for name, file in members.files.items()}

    with stack:
        yield take
    assert list((tmp_path / "tmp").iterdir()) == []


def test_members_become_files_without_names(taken):
    members, files = taken(archive(("input", b"data" * 500), ("sysmap", b"{}"), ("boot", b"code")))
    assert members.description == b"{}"
    assert files == {"input": b"data" * 500, "boot": b"code"}


def test_a_repeated_name_continues_its_file(taken):
    members, files = taken(archive(("sysmap", b"{"), ("input", b"one "), ("sysmap", b"}"), ("input", b"two")))
    assert members.description == b"{}"
    assert files == {"input": b"one two"}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", ".", "x\ny", "\x01"])
def test_a_name_is_never_a_path(taken, tmp_path, name):
    _, files = taken(archive((name, b"evil")))
    assert list(files.values()) == [b"evil"]
    assert {path.name for path in tmp_path.iterdir()} == {"tmp"}


def test_links_are_refused(taken):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        link = tarfile.TarInfo("input")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(link)
    with pytest.raises(Refusal, match="'input' is not a regular file") as caught:
        taken(file.getvalue())
    assert caught.value.status == 400


def test_too_many_members_are_refused(taken):
    with pytest.raises(Refusal, match="more than 512 members"):
        taken(archive(*((f"m{number}", b"") for number in range(513))))


def test_a_huge_description_is_refused(taken):
    with pytest.raises(Refusal, match="4194304") as caught:
        taken(archive(("sysmap", b"x" * (3 << 20)), ("sysmap", b"x" * (2 << 20))))
    assert caught.value.status == 413


def test_what_is_no_tar_stream_is_refused(taken):
    with pytest.raises(Refusal, match="tar stream is broken") as caught:
        taken(b"GIF89a" * 200)
    assert caught.value.status == 400


def test_a_gzip_image_is_inflated(taken):
    image = random.Random(1).randbytes(100) * 2000
    assert taken(archive(("image.gz", gzip.compress(image))))[1] == {"image": image}
    assert taken(archive(("image.gz", gzip.compress(image[:70000]) + gzip.compress(image[70000:]))))[1] == {"image": image}


BROKEN = {"plain": b"plain", "empty": b"", "cut": gzip.compress(b"x" * 1000)[:-5], "more": gzip.compress(b"y") + b"rest"}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_gzip_image_is_refused(taken, data):
    with pytest.raises(Refusal, match="Failed to inflate gzipped image") as caught:
        taken(archive(("image.gz", data)))
    assert caught.value.status == 422


def test_a_gzip_bomb_is_refused_early(taken):
    bomb = gzip.compress(bytes(64 << 20))
    with pytest.raises(Refusal, match="more than 1048576 bytes") as caught:
        taken(archive(("image.gz", bomb)))
    assert caught.value.status == 413


@given(st.binary(max_size=300), st.integers(1, 3000), st.integers(1, 97))
def test_inflating_is_the_inverse_of_gzip(data, times, piece):
    whole = data * times
    compressed = gzip.compress(whole)
    pieces = (compressed[at : at + piece] for at in range(0, len(compressed), piece))
    assert b"".join(inflate(pieces, 1 << 30)) == whole


def test_a_full_device_is_told_apart(tmp_path):
    with ExitStack() as stack, pytest.raises(OSError, match="No space") as caught:
        receive(Body(archive(("input", b"x" * 1000))), FullWorkspace(str(tmp_path)), 1, stack)
    assert is_full(caught.value)


class FullWorkspace(Workspace):
    def file(self):
        return io.FileIO("/dev/full", "r+")
