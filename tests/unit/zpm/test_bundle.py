"""The archive: what is in it, and that it is the same bytes again."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tarfile

import pytest

from tests.unit.zpm.conftest import ZAPP
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.errors import BundleError, ZappError
from zerocloud.zpm.project import all_files, find_root, load


def made(root, **more):
    warnings = []
    done = bundle(root, warnings.append, **more)
    return done, warnings


def test_members_in_their_order(root):
    done, warnings = made(root)
    assert done.path == root / "hello.zapp"
    with tarfile.open(done.path) as archive:
        members = archive.getmembers()
        assert json.load(archive.extractfile("boot/system.map"))[0]["exec"]["path"] == "file://p.wasm"
    names = [member.name for member in members]
    assert names == [
        "boot/system.map",
        "zapp.yaml",
        "p.wasm",
        "lib/a/b.txt",
        "lib/c.txt",
        "page/index.html.tmpl",
        "page/style.css",
    ]
    assert done.members == tuple(names)
    assert not warnings


def test_the_same_files_make_the_same_bytes(root):
    first = made(root)[0].path.read_bytes()
    for path in root.rglob("*"):
        os.utime(path, (1, 1))
    (root / "lib/c.txt").chmod(0o600)
    assert made(root)[0].path.read_bytes() == first
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(first))) as archive:
        assert {(member.mtime, member.uid, member.uname, member.mode) for member in archive} == {(0, 0, "", 0o644)}
    (root / "p.wasm").chmod(0o755)
    assert made(root)[0].path.read_bytes() != first


def test_patterns_that_match_nothing_are_told(root):
    (root / "zapp.yaml").write_text(ZAPP.replace('"lib"', '"none*"'))
    assert made(root)[1] == ["pattern 'none*' in section 'bundling' matched no files"]
    (root / "zapp.yaml").write_text(ZAPP.replace('"*.wasm", "lib"', '"none"').replace("page/*", "no"))
    with pytest.raises(BundleError, match="no pattern"):
        made(root)


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../*", "a/../../b", "**.py"])
def test_patterns_that_lead_elsewhere(root, pattern):
    (root / "zapp.yaml").write_text(ZAPP.replace('"lib"', f'"{pattern}"'))
    with pytest.raises(BundleError, match="pattern"):
        made(root)


def test_links_that_lead_elsewhere(root, tmp_path):
    (tmp_path / "secret").write_text("s")
    (root / "x.wasm").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match="leads out"):
        made(root)
    (root / "x.wasm").unlink()
    (root / "x.wasm").symlink_to(root / "p.wasm")
    (root / "lib/around").symlink_to(root)
    assert "x.wasm" in made(root)[0].members


def test_nothing_of_zpm_itself_is_bundled(root):
    (root / ".zapp").mkdir()
    (root / ".zapp/deps.txt").write_text("")
    made(root)
    (root / "zapp.yaml").write_text(ZAPP.replace('"lib"', '"**"'))
    names = made(root)[0].members
    assert not [name for name in names if ".zapp" in name]
    assert names.count("zapp.yaml") == 1


def test_no_member_takes_the_place_of_the_map(root):
    (root / "boot").mkdir()
    (root / "boot/cluster.map").write_text("[]")
    (root / "zapp.yaml").write_text(ZAPP.replace('"lib"', '"boot"'))
    with pytest.raises(BundleError, match=r"boot/cluster\.map"):
        made(root)


def test_a_failure_leaves_the_old_one(root):
    before = made(root)[0].path.read_bytes()
    (root / "p.wasm").write_text("other")
    (root / "lib/c.txt").unlink()
    (root / "lib/c.txt").mkdir(mode=0)
    (root / "p.wasm").unlink()
    os.mkfifo(root / "lib/pipe")  # is passed over: it is no file
    (root / "zapp.yaml").write_text(ZAPP + "build: 'false'\n")
    with pytest.raises(BundleError, match="exit code 1"):
        made(root)
    assert (root / "hello.zapp").read_bytes() == before
    assert [path.name for path in root.glob(".*")] == []
    (root / "lib/c.txt").chmod(0o700)


def test_build_makes_what_is_bundled(root):
    (root / "zapp.yaml").write_text(ZAPP + "build: \"sh -c 'echo made > made.wasm'\"\n")
    assert "made.wasm" in made(root)[0].members
    (root / "zapp.yaml").write_text(ZAPP + "build: nonexistent-command\n")
    with pytest.raises(BundleError, match="nonexistent-command"):
        made(root)


def test_a_build_finds_our_commands_after_those_of_the_path(root, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (root / "zapp.yaml").write_text(ZAPP + "build: \"sh -c 'echo $PATH > made.wasm'\"\n")
    made(root)
    assert (root / "made.wasm").read_text() == f"/usr/bin:/bin:{os.path.dirname(sys.executable)}\n"


def test_the_folder_is_found_from_within(root, tmp_path):
    assert find_root(root / "lib/a") == root
    with pytest.raises(ZappError, match=r"no zapp\.yaml file found"):
        find_root(tmp_path)


def test_a_zapp_yaml_that_can_not_be_read(root):
    (root / "zapp.yaml").write_bytes(b"\xff")
    with pytest.raises(ZappError, match="not UTF-8 at byte 0"):
        load(root)
    (root / "zapp.yaml").write_bytes(b" " * (1 << 20) + b"x")
    with pytest.raises(ZappError, match="larger than"):
        load(root)


def test_all_files(root):
    names = [path.relative_to(root).as_posix() for path in all_files(root, ("*.wasm", "lib"))]
    assert names == ["zapp.yaml", "p.wasm", "lib/a/b.txt", "lib/c.txt"]
