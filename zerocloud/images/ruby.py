"""The image ``ruby``: Ruby with its standard library, from the npm package of ruby.wasm.

That is a module for JavaScript hosts: a library, without an entry, that imports what only such hosts have. Binaryen's
``wasm-merge`` joins it with an entry of ours, and with functions in the place of the host's that end the program when called.
The program is ``bin/ruby``, and takes ``-e CODE`` or a script's path, and arguments.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import wasmtime

from .archive import FORMAT, Description, File, ImageError, Warm, write_image

PACKAGE, VERSION = "@ruby/3.4-wasm-wasi", "2.10.1"
MERGER, MERGER_VERSION = "binaryen", "132.0.0"
PROGRAM = "bin/ruby"
LICENSES = "usr/share/licenses/ruby"
GUEST = Path(__file__).parent / "ruby_guest"
FEATURES = ("bulk-memory", "mutable-globals", "sign-ext", "nontrapping-float-to-int")
"""Of WebAssembly, that these modules use."""
SECONDS = 300

# Signatures: i for a 32-bit integer, d for a double; after the colon the result.
_VALUE = "handle<js-abi-value>"
_OUTCOME = f"variant {{ success({_VALUE}), failure({_VALUE}) }}"
ABSENT = {
    "rb-js-abi-host": {
        "rb_wasm_throw_prohibit_rewind_exception": "ii:",
        f"eval-js: func(code: string) -> {_OUTCOME}": "iii:",
        f"is-js: func(value: {_VALUE}) -> bool": "i:i",
        f"instance-of: func(value: {_VALUE}, klass: {_VALUE}) -> bool": "ii:i",
        f"global-this: func() -> {_VALUE}": ":i",
        f"int-to-js-number: func(value: s32) -> {_VALUE}": "i:i",
        f"float-to-js-number: func(value: float64) -> {_VALUE}": "d:i",
        f"string-to-js-string: func(value: string) -> {_VALUE}": "ii:i",
        f"bool-to-js-bool: func(value: bool) -> {_VALUE}": "i:i",
        f"proc-to-js-function: func(value: u32) -> {_VALUE}": "i:i",
        f"rb-object-to-js-rb-value: func(raw-rb-abi-value: u32) -> {_VALUE}": "i:i",
        f"js-value-to-string: func(value: {_VALUE}) -> string": "ii:",
        f"js-value-to-integer: func(value: {_VALUE}) -> variant {{ as-float(float64), bignum(string) }}": "ii:",
        f"export-js-value-to-host: func(value: {_VALUE}) -> ()": "i:",
        f"import-js-value-from-host: func() -> {_VALUE}": ":i",
        f"js-value-typeof: func(value: {_VALUE}) -> string": "ii:",
        f"js-value-equal: func(lhs: {_VALUE}, rhs: {_VALUE}) -> bool": "ii:i",
        f"js-value-strictly-equal: func(lhs: {_VALUE}, rhs: {_VALUE}) -> bool": "ii:i",
        f"reflect-apply: func(target: {_VALUE}, this-argument: {_VALUE}, arguments: list<{_VALUE}>) -> {_OUTCOME}": "iiiii:",
        f"reflect-get: func(target: {_VALUE}, property-key: string) -> {_OUTCOME}": "iiii:",
        f"reflect-set: func(target: {_VALUE}, property-key: string, value: {_VALUE}) -> {_OUTCOME}": "iiiii:",
    },
    "canonical_abi": {
        "resource_drop_js-abi-value": "i:",
        "resource_new_rb-abi-value": "i:i",
        "resource_get_rb-abi-value": "i:i",
    },
}
"""What the module imports of a JavaScript host."""


def build_ruby(path: Path) -> Description:
    """Write the image. Needs npm and node. Raises ImageError, OSError."""
    description = Description("ruby", f"3.4-{VERSION}", PROGRAM, (), (Warm((), lean=True),))
    with TemporaryDirectory(prefix="zerocloud-") as place:
        folder = Path(place)
        packages = _installed(folder)
        program = _merged(packages, folder)
        licences = (File(f"{LICENSES}/{name}", packages / PACKAGE / "dist" / name) for name in ("LICENSE", "NOTICE"))
        write_image(path, description, (File(PROGRAM, program, program=True), *licences))
    return description


def ruby_key() -> str:
    """Tells images apart that would be built differently."""
    told = sha256(repr((FORMAT, VERSION, MERGER_VERSION, FEATURES, ABSENT)).encode())
    for file in sorted(GUEST.iterdir()):
        told.update(file.read_bytes())
    return told.hexdigest()[:12]


def _installed(folder: Path) -> Path:
    """Where npm has put the two packages."""
    npm = shutil.which("npm")
    if npm is None:
        raise ImageError(f"The image ruby is made of the npm packages {PACKAGE} and {MERGER}; there is no npm here")
    wanted = (f"{PACKAGE}@{VERSION}", f"{MERGER}@{MERGER_VERSION}")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--fetch-retries=1", "--fetch-timeout=60000")
    _run([npm, "install", "--prefix", str(folder), *options, *wanted])
    return folder / "node_modules"


def _merged(packages: Path, folder: Path) -> Path:
    modules = {"ruby": packages / PACKAGE / "dist" / "ruby+stdlib.wasm"}
    for name, text in (("start", _driver()), *((name, _stubs(found)) for name, found in ABSENT.items())):
        modules[name] = folder / f"{name}.wasm"
        modules[name].write_bytes(wasmtime.wat2wasm(text))
    program = folder / "ruby.wasm"
    named = [word for name, module in modules.items() for word in (str(module), name)]
    features = [f"--enable-{feature}" for feature in FEATURES]
    _run([str(packages / ".bin" / "wasm-merge"), *named, "-o", str(program), *features])
    return program


def _driver() -> str:
    start = (GUEST / "start.rb").read_bytes()
    text = (GUEST / "driver.wat").read_text()
    quoted = "".join(f"\\{byte:02x}" for byte in start)
    return text.replace("STARTSIZE", str(len(start))).replace('"START"', f'"{quoted}"')


def _stubs(functions: dict[str, str]) -> str:
    """A module of functions that can only be called once."""
    return f"(module {' '.join(_stub(name, *signature.split(':')) for name, signature in functions.items())})"


def _stub(name: str, parameters: str, results: str) -> str:
    kinds = {"i": "i32", "d": "f64"}
    given = "".join(f" (param {kinds[letter]})" for letter in parameters)
    answer = "".join(f" (result {kinds[letter]})" for letter in results)
    return f'(func (export "{name}"){given}{answer} unreachable)'


def _run(command: Iterable[str]) -> None:
    words = list(command)
    try:
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "no word").splitlines()[-1]
        raise ImageError(f"{Path(words[0]).name} failed: {last}") from error
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"{Path(words[0]).name} did not end within {SECONDS} seconds") from error


__all__ = ["build_ruby", "ruby_key"]
