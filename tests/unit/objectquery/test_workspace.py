import errno
import fcntl
import os

import pytest

from zerocloud.objectquery import workspace
from zerocloud.objectquery.workspace import PREFIX, Workspace, read_only, sweep


def test_a_file_has_no_name(tmp_path):
    with Workspace(str(tmp_path / "tmp")).file() as file:
        file.write(b"abc")
        assert os.pread(file.fileno(), 9, 0) == b"abc"
        assert list((tmp_path / "tmp").iterdir()) == []


def test_a_file_has_no_name_even_where_the_kernel_needs_one(tmp_path, monkeypatch):
    def refuse(path, flags, *mode):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return opened(path, flags, *mode)

    opened = os.open
    monkeypatch.setattr(workspace.os, "open", refuse)
    with Workspace(str(tmp_path)).file() as file:
        file.write(b"abc")
        assert list(tmp_path.iterdir()) == []


def test_a_named_file_loses_its_name_at_any_end(tmp_path):
    space = Workspace(str(tmp_path))
    with pytest.raises(ZeroDivisionError), space.named_file() as (file, path):
        os.stat(path).st_size / 0
    assert os.path.basename(path).startswith(PREFIX)
    assert file.closed
    with space.named_file() as (file, path):
        os.unlink(path)
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_can_be_opened_again_for_reading_alone(tmp_path):
    with Workspace(str(tmp_path)).file() as file:
        file.write(b"abc")
        with read_only(file) as copy:
            assert copy.read() == b"abc"
            assert fcntl.fcntl(copy.fileno(), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def test_the_sweep_takes_only_what_is_ours_and_dead(tmp_path):
    for folder in ("sda/tmp", "sda/tmp-1", "sda/objects", "sdb/tmp"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{PREFIX}dead").touch()
        (tmp_path / folder / "swift's").touch()
    (tmp_path / "sda/tmp" / f"{PREFIX}link").symlink_to(tmp_path / "sda/objects/swift's")
    (tmp_path / "file").touch()
    space = Workspace(str(tmp_path / "sda/tmp"))
    with space.named_file() as (file, path), file:
        assert sweep(str(tmp_path)) == 3
        assert os.path.exists(path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir() and PREFIX in path.name)
    assert left == [f"sda/objects/{PREFIX}dead", f"sda/tmp/{PREFIX}link"]


def test_a_sweep_of_nothing(tmp_path):
    assert sweep(str(tmp_path / "absent")) == 0
