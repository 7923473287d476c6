"""What the doctor says of the file system under a Zebra that was never made; the rest is seen on clusters."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from zerocloud.zebra import doctor, settings
from zerocloud.zebra.doctor import Finding, examine, healthy, report
from zerocloud.zebra.errors import SettingsError
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.settings import Wish


def ill(directory: Path) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(Layout.at(directory)) if not finding.well}


def file_system(free: int, files: int) -> SimpleNamespace:
    return SimpleNamespace(f_bavail=free, f_frsize=1, f_files=1 << 20, f_favail=files)


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "statvfs", lambda path: file_system(free=5 << 20, files=1 << 20))
    assert "make room" in ill(tmp_path)["disk"].cure


def test_a_file_system_without_room_for_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "statvfs", lambda path: file_system(free=1 << 40, files=7))
    assert "7 files more" in ill(tmp_path)["disk"].text


def test_a_file_system_without_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    found = ill(tmp_path)["attributes"]
    assert "Operation not supported" in found.text
    assert "ext4" in found.cure
    assert not list(tmp_path.iterdir())


def test_a_keystone_that_is_no_longer_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise SettingsError("--auth keystone needs keystone")

    layout = Layout.at(tmp_path / "z")
    layout.prepare()
    settings.save(layout, settings.settle(layout, Wish(nodes=1, auth="keystone")))
    monkeypatch.setattr(doctor.keystone, "require", missing)
    assert ill(layout.directory)["keystone"].cure == "pip install 'zerocloud[keystone-server]'"


def test_few_descriptors_are_only_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.resource, "getrlimit", lambda which: (256, 4096))
    found = ill(tmp_path)["descriptors"]
    assert found.cure == "ulimit -n 4096"
    assert healthy([found])
    assert report([found])[0]["well"] is False


def test_a_healthy_place_lacks_only_the_zebra(tmp_path: Path) -> None:
    assert set(ill(tmp_path)) - {"walls", "disk"} == {"directory"}
