"""``zerovm``: run one manifest, or serve (executor contract, section 1).

Usage: zerovm [options] MANIFEST
       zerovm --serve SOCKET [options of the service]
       zerovm --self-check
       zerovm --compile SOCKET PROGRAM

  -s         don't validate apart from compiling; the report says validator 2
  -F         stop when everything is ready to run
  -t N       where the report goes: 0 standard output, 1 syslog (2 and 3, kept for old scripts: standard output)
  -v N       what goes to syslog: 0 nothing, 1 failures, 2 ends, 3 steps
  -P         reserve no room for files to be written
  -Q         accepted; there is no executable data to be checked for
  -T FILE    append the times of all steps, and of all calls of the program, to FILE, an absolute path
  -M FILE    the manifest, in an old way
  --cache D  keep compiled programs in directory D; an empty one keeps none
  -h         this text
"""

from __future__ import annotations

import getopt
import sys
import syslog
from collections.abc import Sequence
from dataclasses import dataclass
from errno import EINTR, EINVAL, EIO, ENOEXEC, EPIPE

from zerocloud.zerovm.client import Connection, ServiceError, ServiceRefused
from zerocloud.zerovm.errors import ManifestError
from zerocloud.zerovm.local import LocalOptions, run_local
from zerocloud.zerovm.manifest import MAXIMUM_BYTES, Manifest, parse
from zerocloud.zerovm.report import Report
from zerocloud.zerovm.session import failure_report
from zerocloud.zerovm.states import EndState
from zerocloud.zerovm.tracing import Tracer

_SYSLOG = 1


class UsageError(Exception):
    """A command line that means nothing."""


@dataclass(frozen=True)
class Command:
    """A command line, read."""

    manifest: str
    local: LocalOptions
    report_to: int = 0
    verbosity: int = 0
    trace: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["--serve"]:
        from zerocloud.zerovm.service.server import serve

        return serve(words[1:])
    if words[:1] == ["--self-check"]:
        from zerocloud.zerovm.service.selfcheck import self_check

        return self_check(words[1:])
    if words[:1] == ["--compile"]:
        return precompile(words[1:])
    if words in (["-h"], ["--help"]):
        sys.stdout.write(_usage())
        return 0
    try:
        command = parse_command(words)
        tracer = Tracer(command.trace)
    except (UsageError, OSError) as error:
        sys.stderr.write(f"zerovm: {error}\n{_usage()}")
        return EINVAL
    try:
        report = run(command, tracer)
        deliver(report, command)
    except KeyboardInterrupt:
        return EINTR
    except BrokenPipeError:
        return EPIPE
    return report.exit_code


def precompile(words: Sequence[str]) -> int:
    """``zerovm --compile SOCKET PROGRAM``: have the service there compile the operator's program; the exit code."""
    if len(words) != 2:
        sys.stderr.write(f"zerovm: --compile takes a socket and a program\n{_usage()}")
        return EINVAL
    path, program = words
    try:
        with Connection.open(path) as connection, open(program, "rb") as file:
            connection.compile(file.fileno())
    except ServiceRefused as refusal:
        sys.stderr.write(f"zerovm: {program}: {refusal}\n")
        return ENOEXEC
    except (ServiceError, OSError) as error:
        sys.stderr.write(f"zerovm: {error}\n")
        return EIO
    return 0


def parse_command(words: Sequence[str]) -> Command:
    """Read the options and the manifest's path, in any order. Raises UsageError."""
    try:
        options, paths = getopt.gnu_getopt(list(words), "sFPQt:v:T:M:", ["cache="])
    except getopt.GetoptError as error:
        raise UsageError(str(error)) from None
    values = dict(options)
    paths += [value for name, value in options if name == "-M"]
    if len(paths) != 1:
        raise UsageError(f"{len(paths)} manifests are given, not one")
    trace = values.get("-T")
    if trace is not None and not trace.startswith("/"):
        raise UsageError(f"-T {trace}: not an absolute path")
    local = LocalOptions("-s" in values, "-F" in values, "-P" not in values, values.get("--cache"))
    return Command(paths[0], local, _level("-t", values), _level("-v", values), trace)


def run(command: Command, tracer: Tracer) -> Report:
    """Run what the command line names."""
    try:
        manifest = _read(command.manifest)
    except ManifestError as error:
        return failure_report(error)
    tracer.event("manifest read")
    try:
        return run_local(manifest, command.local, tracer)
    except OSError as error:  # this process can't fork, or has no descriptors left
        return Report(state=f"{EndState.INTERNAL.value}: {error}", exit_code=error.errno or EIO)


def deliver(report: Report, command: Command) -> None:
    """Put the report where it is wanted, and into the log what is to stand there."""
    syslog.openlog("zerovm", syslog.LOG_PID)
    lines = report.render().decode("utf-8", "replace").splitlines()
    if command.report_to == _SYSLOG:
        syslog.syslog(syslog.LOG_INFO, "; ".join(lines[:6]))
    else:
        sys.stdout.buffer.write(report.render())
        sys.stdout.buffer.flush()
    failed = report.end is not EndState.EXITED
    if command.verbosity > (0 if failed else 1):
        level = syslog.LOG_ERR if failed else syslog.LOG_INFO
        syslog.syslog(level, f"{command.manifest}: {report.state}")


def _read(path: str) -> Manifest:
    try:
        with open(path, "rb") as file:
            text = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise ManifestError(None, f"MANIFEST {path}: {error.strerror}", error.errno or EIO) from error
    return parse(text)


def _level(name: str, values: dict[str, str]) -> int:
    value = values.get(name, "0")
    if value not in ("0", "1", "2", "3"):
        raise UsageError(f"{name} {value}: expected 0 to 3")
    return int(value)


def _usage() -> str:
    return (__doc__ or "").partition("\n\n")[2]


if __name__ == "__main__":
    sys.exit(main())
