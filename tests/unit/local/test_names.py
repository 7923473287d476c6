from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.local.names import ACCOUNT, Folders, NoFileName

FOLDERS = Folders(Path("/data"), Path("/tools"))


def test_folders_are_containers_and_files_are_objects():
    assert FOLDERS.container("anybody", "c") == Path("/data/c")
    assert FOLDERS.object("anybody", "c", "a/b.txt") == Path("/data/c/a/b.txt")


def test_a_root_has_a_folder_for_each_account():
    folders = Folders(Path("/data"), Path("/tools"), Path("/root"))
    assert folders.object("me", "c", "o") == Path("/root/me/c/o")


def test_containers_of_tools_lie_elsewhere():
    assert FOLDERS.object(ACCOUNT, ".zvm", "jobs/x") == Path("/tools") / ACCOUNT / ".zvm/jobs/x"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a//b", "a/", ".", "a/./b", "a\0b"])
def test_no_name_leads_elsewhere(name):
    with pytest.raises(NoFileName, match="must be names of files"):
        FOLDERS.object("a", "c", name)


@pytest.mark.parametrize("name", ["..", ".", "a\0"])
def test_nor_does_a_containers(name):
    with pytest.raises(NoFileName):
        Folders(Path("/data"), Path("/tools"), Path("/root")).container("a", name)
    with pytest.raises(NoFileName):
        Folders(Path("/data"), Path("/tools"), Path("/root")).container(name, "c")


@given(st.text(max_size=40), st.text(max_size=10))
def test_whatever_has_a_file_has_it_below_its_container(name, container):
    try:
        path = FOLDERS.object(ACCOUNT, container, name)
    except NoFileName:
        return
    assert path.is_relative_to("/data" if not container.startswith(".") else "/tools")
    assert ".." not in path.parts
