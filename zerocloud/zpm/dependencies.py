"""Puts Python packages and all that they need into a folder: pure wheels only, and nothing that the image has already, unless
another version is asked for: the zapp's comes first on the program's path.

pip finds and fetches; what a wheel needs further is read from it, because pip can't know what the image has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from .errors import DependencyError
from .image_packages import MARKERS, PACKAGES, PYTHON

LIST, FOLDER = "deps.txt", "packages"
"""In a project's ``.zapp``: what was asked for, and the packages."""

NATIVE = (".so", ".pyd", ".dylib", ".dll")
PURE = ("--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any", f"--python-version={PYTHON}")
MOST_VERSIONS = 5
UNREACHABLE = re.compile(r"Retrying \(|Connection(Error| refused)|NewConnection|Name or service not known")
QUIET = ("--quiet", "--no-input", "--disable-pip-version-check")


def provide(wanted: Sequence[str], store: Path, refresh: bool = False) -> Path | None:
    """The folder with these packages, which is made anew if others were asked for before, or on request. None for none.

    ``store`` is the project's ``.zapp``. Raises DependencyError; then what was there stays.
    """
    if not wanted:
        return None
    asked, folder = store / LIST, store / FOLDER
    text = "".join(f"{line}\n" for line in wanted)
    if not refresh and folder.is_dir() and asked.is_file() and asked.read_text() == text:
        return folder
    store.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store) as scratch:
        fresh = Path(scratch) / FOLDER
        fresh.mkdir()
        for wheel in _wheels(_requirements(wanted), Path(scratch)):
            _unpack(wheel, fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    asked.write_text(text)
    return folder


def _requirements(texts: Iterable[str]) -> list[Requirement]:
    found = []
    for text in texts:
        try:
            found.append(Requirement(text))
        except InvalidRequirement as error:
            raise DependencyError(f"{text}: {str(error).splitlines()[0]}") from None
    return found


def _wheels(wanted: list[Requirement], scratch: Path) -> Iterator[Path]:
    """The wheels of these and of what they need, fetched level by level."""
    versions: dict[str, Version] = {}
    level = 0
    while wanted := _missing(wanted, versions):
        target = scratch / f"wheels{level}"
        _fetch(wanted, target)
        extras = {canonicalize_name(requirement.name): requirement.extras for requirement in wanted}
        needed: list[Requirement] = []
        for wheel in sorted(target.iterdir()):
            name, version, _, _ = parse_wheel_filename(wheel.name)
            versions[name] = version
            needed += _needs(wheel, extras.get(name, set()))
            yield wheel
        wanted, level = needed, level + 1


def _missing(wanted: Iterable[Requirement], versions: Mapping[str, Version]) -> list[Requirement]:
    """One requirement for each package that is neither in the image nor fetched. Raises DependencyError on conflicts."""
    found: dict[str, Requirement] = {}
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        have = versions.get(name)
        if have is not None and not requirement.specifier.contains(have, prereleases=True):
            raise DependencyError(
                f"{requirement} is needed, but {name} {have} was chosen before: name the version that fits all"
            )
        in_image = name in PACKAGES and requirement.specifier.contains(PACKAGES[name], prereleases=True)
        if in_image or have is not None:
            continue
        if name in found:
            found[name].specifier &= requirement.specifier
            found[name].extras |= requirement.extras
        else:
            found[name] = requirement
    return list(found.values())


def _fetch(wanted: Sequence[Requirement], target: Path) -> None:
    plain = [f"{requirement.name}{requirement.specifier}" for requirement in wanted]
    command = (sys.executable, "-m", "pip", "download", *QUIET, "--no-deps", *PURE, "--dest", str(target), *plain)
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise DependencyError(reason(wanted, done.stderr, _versions))


def reason(wanted: Sequence[Requirement], told: str, versions: Callable[[str], Sequence[str]]) -> str:
    """Why pip, which ``told`` this, did not find these: it does not tell a name that is wrong from native code.

    ``versions`` are those that there are of a package in whatever form, the newest first.
    """
    names = ", ".join(map(str, wanted))
    if UNREACHABLE.search(told):
        return f"{names}: pip can't reach its index"
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        found = versions(requirement.name)
        image = f" The image python has {name} {PACKAGES[name]}." if name in PACKAGES else ""
        if not found:
            return f"{requirement}: there is no such package where pip looks.{image}"
        if not any(requirement.specifier.contains(version, prereleases=True) for version in found):
            return f"{requirement}: there is no such version; there are {', '.join(found[:MOST_VERSIONS])}.{image}"
    errors = [line.removeprefix("ERROR: ") for line in told.splitlines() if line.startswith("ERROR: ")]
    return (
        f"{names}: {errors[-1] if errors else 'pip failed'}. Only pure Python wheels go into a zapp, because native code does "
        f"not run there. The image python has these already: {', '.join(' '.join(one) for one in PACKAGES.items())}"
    )


def _versions(name: str) -> list[str]:
    """The versions of a package in whatever form for this machine, the newest first."""
    command = (sys.executable, "-m", "pip", "index", "versions", *QUIET[1:], "--ignore-requires-python", name)
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = re.search(r"^Available versions: (.+)$", done.stdout, re.MULTILINE)
    return found[1].split(", ") if found else []


def _needs(wheel: Path, extras: set[str]) -> Iterator[Requirement]:
    """What a wheel needs on the image's interpreter."""
    with zipfile.ZipFile(wheel) as archive:
        name = next((name for name in archive.namelist() if name.endswith(".dist-info/METADATA")), None)
        raw = parse_email(archive.read(name))[0] if name else {}
    for text in raw.get("requires_dist", []):
        (requirement,) = _requirements([text])
        markers = requirement.marker
        if markers is None or any(markers.evaluate({**MARKERS, "extra": extra}) for extra in extras or {""}):
            yield requirement


def _unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        native = next((name for name in archive.namelist() if name.endswith(NATIVE)), None)
        if native:
            raise DependencyError(f"{wheel.name} has native code in it, {native}, which does not run in a zapp")
        wanted = [name for name in archive.namelist() if not name.partition("/")[0].endswith(".data")]
        archive.extractall(folder, wanted)
