"""``zerocloud cc``: a C or C++ compiler for programs that run here, with our header and settings that suit them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import click

from zerocloud.cli.errors import CommandError, UsageError

TARGET = "wasm32-wasi"
SETTINGS = ("-Os", "-s", "-Wl,-z,stack-size=1048576")
"""Small programs with a stack of 1 MiB: the compiler's own 16 MiB count against every session's memory."""
WITHOUT = ("-fno-exceptions",)
"""The sandbox takes no exceptions; and what is only able to throw, a vector even, could not be linked."""
CPLUSPLUS = (".cc", ".cpp", ".cxx", ".c++", ".C")

EPILOG = """\b
Examples:
  zerocloud cc hello.c                       makes hello.wasm
  zerocloud cc map.c words.c -o map.wasm
  zerocloud cc -O3 -DNDEBUG -msimd128 sum.cpp -lm

zvm.h is found without further ado. What follows is passed on to the compiler, clang as the package ziglang has it; its options
come after ours, and win. The first call builds the C library, which takes the better part of a minute.
"""


@click.command(epilog=EPILOG, context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="FILE… [OPTION…]")
def command(words: tuple[str, ...]) -> None:
    """Compile C or C++ to a program for ZeroCloud."""
    if importlib.util.find_spec("ziglang") is None:
        raise CommandError("The compiler is the package ziglang: pip install 'ziglang>=0.13,<0.18'")
    sources = [word for word in words if not word.startswith("-") and Path(word).suffix]
    for word in sources:
        if Path(word).suffix in (".c", *CPLUSPLUS) and not Path(word).exists():
            raise UsageError(f"{word}: there is no such file")
    driver = "c++" if any(Path(word).suffix in CPLUSPLUS for word in sources) else "cc"
    settings = (*SETTINGS, *(WITHOUT if driver == "c++" else ()))
    named = any(word.startswith("-o") or word == "-c" for word in words)
    output = () if named or not sources else ("-o", str(Path(sources[0]).with_suffix(".wasm")))
    include = os.fspath(files("zerocloud.zrt").joinpath("include"))  # type: ignore[call-overload]
    line = [sys.executable, "-m", "ziglang", driver, "-target", TARGET, "-I", include, *settings, *words, *output]
    raise SystemExit(subprocess.run(line).returncode)
