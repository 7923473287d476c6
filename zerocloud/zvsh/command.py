"""The command line of ``zvsh`` (command-line tools, section 2)."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import click

from zerocloud.cli.group import complete_file, examples
from zerocloud.zerovm.errors import ExecutorError
from zerocloud.zerovm.manifest import STANDARD
from zerocloud.zerovm.report import Report, ReportError, parse
from zerocloud.zerovm.tracing import read_calls
from zerocloud.zrt.errors import ZrtError
from zerocloud.zvsh.chrome import render_chrome
from zerocloud.zvsh.configuration import ConfigurationError, Image, read_configuration
from zerocloud.zvsh.invocation import DEBUG, HostFile, Invocation, read_invocation
from zerocloud.zvsh.running import Result, run_zerovm
from zerocloud.zvsh.workplace import Workplace

TRACE = "zvsh.trace.log"
CHROME = "zvsh.trace.json"
LOG = "zvsh.log"
_FAILED = 1
_INTERRUPTED = 130
_HIGHEST_CODE = 255


@dataclass(frozen=True)
class Options:
    """The options before the command."""

    images: tuple[str, ...]
    debug: bool
    trace: bool
    verbosity: int | None
    getrc: bool
    save_dir: str | None


@click.command(
    context_settings={"allow_interspersed_args": False},
    epilog=examples("zvsh hello.wasm @words.txt @LANG=C", "zvsh --zvm-image python.tar bin/python @script.py"),
)
@click.option("--zvm-image", "images", multiple=True, metavar="PATH[,MOUNT[,ACCESS]]", help="Mount a tar archive (ro or wo).")
@click.option("--zvm-debug", "debug", is_flag=True, help=f"Give the program /dev/debug, which is ./{LOG}.")
@click.option("--zvm-trace", "trace", is_flag=True, help=f"Write every call of the program to ./{TRACE} and ./{CHROME}.")
@click.option("--zvm-verbosity", "verbosity", type=click.IntRange(0, 4), help="How much the runtime writes to /dev/debug.")
@click.option("--zvm-getrc", "getrc", is_flag=True, help="Exit with zerovm's code, whatever the program's.")
@click.option("--zvm-save-dir", "save_dir", type=click.Path(file_okay=False), help="Keep the session's files here.")
@click.argument("command", shell_complete=complete_file)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(command: str, arguments: tuple[str, ...], **options: object) -> None:
    """Run COMMAND, a WebAssembly program of this machine or in an image, with ARGUMENTS, inside ZeroVM.

    An argument @FILE lets the program use that file; @NAME=VALUE sets an environment variable. Standard input, output and error
    are passed through. The exit code is the program's own, unless the session itself failed: then it is 16 times zerovm's or
    more.
    """
    try:
        sys.exit(run(command, arguments, Options(**options)))  # type: ignore[arg-type]
    except (ConfigurationError, ExecutorError, ZrtError, OSError) as error:
        click.echo(f"zvsh: {error}", err=True)
        sys.exit(_FAILED)


@click.group()
def zvm() -> None:
    """The older name: ``zvm run`` is ``zvsh``."""


zvm.add_command(main, "run")


def run(command: str, arguments: Sequence[str], options: Options) -> int:
    """Run one command; the exit code. Raises ConfigurationError, ExecutorError, ZrtError."""
    if command == "gdb":
        raise ConfigurationError("there is no gdb for WebAssembly here; see --zvm-trace, --zvm-debug, and the report of a trap")
    configuration = read_configuration()
    images = [*map(Image.parse, options.images), *configuration.images]
    invocation = _with_streams(read_invocation(command, arguments, images, configuration, _is_writable), options)
    with ExitStack() as stack:
        workplace = Workplace(_directory(options.save_dir, stack))
        program = workplace.find_program(command, images)
        workplace.write(invocation, configuration, program)
        stack.callback(workplace.finish)
        if options.trace:
            Path(TRACE).unlink(missing_ok=True)
        result = run_zerovm(workplace, ["-T", os.path.abspath(TRACE)] if options.trace else [])
        if options.trace:
            _write_chrome()
        return _tell(result, workplace, options)


def _with_streams(invocation: Invocation, options: Options) -> Invocation:
    terminals = frozenset(alias for number, alias in enumerate(STANDARD) if os.isatty(number))
    files = invocation.files
    if options.debug:
        files += (HostFile(DEBUG, LOG, readable=False, writable=True, type=0),)
    return replace(invocation, terminals=terminals, files=files, verbosity=options.verbosity)


def _directory(saved: str | None, stack: ExitStack) -> Path:
    if saved is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zvsh-")))
    try:
        os.makedirs(saved, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{saved}: {error.strerror}") from error
    return Path(saved)


def _is_writable(path: str) -> bool:
    return os.access(path if os.path.exists(path) else os.path.dirname(path) or ".", os.W_OK)


def _tell(result: Result, workplace: Workplace, options: Options) -> int:
    """Say what went wrong, if the session failed; the exit code."""
    try:
        report: Report | None = parse(result.report)
    except ReportError:
        report = None
    if result.interrupted:
        return _INTERRUPTED
    if result.code:
        click.echo(workplace.story(), err=True, nl=False)
        click.echo(result.report, err=True, nl=False)
        click.echo(f"ERROR: ZeroVM return code is {result.code}", err=True)
    if options.getrc:
        return result.code
    own = report.retcode if report is not None else 0
    return min(own | (result.code << 4), _HIGHEST_CODE)


def _write_chrome() -> None:
    with open(TRACE, encoding="utf-8", errors="replace") as lines, open(CHROME, "w", encoding="utf-8") as target:
        target.write(render_chrome(read_calls(lines)))


if __name__ == "__main__":
    main(prog_name="zvsh")
