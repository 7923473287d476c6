from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from zerocloud.zebra.errors import DirectoryError
from zerocloud.zebra.layout import LONGEST_DIRECTORY, Layout


def made(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    layout.prepare_nodes({1: ("d1",), 2: ("d1",)})
    layout.mark.write_text("{}")
    return layout


def test_makes_what_is_missing_for_its_owner_only(tmp_path: Path) -> None:
    layout = made(tmp_path)
    assert sorted(path.name for path in layout.directory.iterdir()) == ["etc", "log", "node1", "node2", "run", "zebra.json"]
    assert sorted(path.name for path in layout.node(2).iterdir()) == ["compiled", "d1", "recon"]
    for folder in (layout.directory, layout.etc, layout.node(1) / "d1", layout.executor_socket(1).parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_relative_and_home_directories_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert Layout.at("z").directory == tmp_path / "z"
    assert Layout.at("~/z").directory == Path("/somewhere/z")


@pytest.mark.parametrize("name", ["a\nb", "50%", "bell\a", "bad\udcff"])
def test_names_that_configuration_files_cannot_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(DirectoryError, match=r"control characters|UTF-8"):
        Layout.at(tmp_path / name)


def test_blanks_and_foreign_letters_are_fine(tmp_path: Path) -> None:
    assert Layout.at(tmp_path / "mes données").directory.name == "mes données"


def test_path_too_long(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match=f"at most {LONGEST_DIRECTORY}"):
        Layout.at(tmp_path / "/".join(["x" * 200] * 20))


def test_takes_an_empty_directory_and_no_other(tmp_path: Path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    (full / "thesis.tex").touch()
    Layout.at(empty).prepare()
    with pytest.raises(DirectoryError, match="neither empty nor"):
        Layout.at(full).prepare()
    assert [path.name for path in full.iterdir()] == ["thesis.tex"]


def test_takes_the_beginnings_of_a_start_that_was_broken_off(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    layout.prepare()
    (tmp_path / "zebra.json.new").touch()
    layout.prepare()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "z").touch()
    with pytest.raises(DirectoryError, match="z: File exists"):
        Layout.at(tmp_path / "z").prepare()
    with pytest.raises(DirectoryError, match="Not a directory"):
        Layout.at(tmp_path / "z" / "y").prepare()


def test_discards_what_came_to_nothing_but_never_a_zebra(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    layout.discard_beginnings(with_directory=True)
    assert not layout.directory.exists()
    zebra = made(tmp_path)
    zebra.discard_beginnings(with_directory=True)
    assert zebra.etc.is_dir()


@pytest.mark.parametrize(("exists", "words"), [(False, "no such directory"), (True, "not a Zebra's directory")])
def test_requires_a_zebra(tmp_path: Path, exists: bool, words: str) -> None:
    directory = tmp_path if exists else tmp_path / "missing"
    with pytest.raises(DirectoryError, match=words):
        Layout.at(directory).require_zebra()


def test_destroys_a_zebra_whole(tmp_path: Path) -> None:
    layout = made(tmp_path)
    assert layout.destroy()
    assert not layout.directory.exists()


def test_destroys_nothing_else(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "etc").mkdir()
    with pytest.raises(DirectoryError):
        Layout.at(precious).destroy()
    assert (precious / "etc").is_dir()


def test_destroy_leaves_the_user_s_own_files_and_what_links_point_to(tmp_path: Path) -> None:
    layout = made(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (layout.directory / "node7").symlink_to(outside)
    (layout.directory / "notes.txt").touch()
    assert not layout.destroy()
    assert sorted(path.name for path in layout.directory.iterdir()) == ["node7", "notes.txt"]
    assert (outside / "file").exists()


def test_a_folder_keystone_is_no_beginning_of_a_zebra(tmp_path: Path) -> None:
    (tmp_path / "keystone").mkdir()
    with pytest.raises(DirectoryError, match="neither empty nor"):
        Layout.at(tmp_path).prepare()


@pytest.mark.parametrize("has_keystone", [False, True], ids=["tempauth", "keystone"])
def test_destroy_takes_a_folder_keystone_only_if_there_is_a_keystone(tmp_path: Path, has_keystone: bool) -> None:
    layout = made(tmp_path)
    layout.keystone.mkdir()
    if has_keystone:
        layout.configuration("keystone").touch()
    assert layout.destroy() == has_keystone
    assert layout.keystone.exists() != has_keystone


def test_temporary_files_of_a_crash_go(tmp_path: Path) -> None:
    layout = made(tmp_path)
    layout.empty_temporary()
    (layout.temporary / "left").mkdir()
    (layout.temporary / "left" / "over").touch()
    layout.empty_temporary()
    assert list(layout.temporary.iterdir()) == []
    assert stat.S_IMODE(layout.temporary.stat().st_mode) == 0o700


def test_a_file_system_without_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "setxattr", refuse)
    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    with pytest.raises(DirectoryError, match="2000 bytes of user attributes") as caught:
        layout.prepare_nodes({1: ("d1",)})
    assert "not supported" in str(caught.value)
    assert not list(layout.node(1).glob(".*"))


def test_paths_of_servers(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    assert layout.configuration("proxy") == tmp_path / "etc/proxy-server.conf"
    assert layout.configuration("object-12") == tmp_path / "etc/object-server-12.conf"
    assert layout.executor_log(3) == layout.log_of("zerovm-node3")
