"""Sessions from the command line: ends, options, accounting, what is left behind (executor contract, sections 1, 5 and 7)."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import wasmtime

from zerocloud.zerovm.report import SKIPPED
from zerocloud.zerovm.states import EndState

from .conftest import Workspace
from .nodes import name_server

WASI = "wasi_snapshot_preview1"
RECURSE = """(module
  (memory (export "memory") 1)
  (func $deeper (param i64) (call $deeper (local.get 0)))
  (func (export "_start") (call $deeper (i64.const 1))))"""
WRITE_THEN_LOOP = f"""(module
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 10))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $on (br $on))))"""
_AGAIN = "(i32.store (i32.const 4) (i32.const 1)) (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
WRITE_TWICE_THEN_LOOP = WRITE_THEN_LOOP.replace("(loop", f"{_AGAIN} (loop")
BIG = '(module (memory (export "memory") 2000) (func (export "_start")))'


def children() -> set[int]:
    """The processes that this one has started and not seen the end of."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == os.getpid():
                    found.add(int(name))
    return found


def wait_for(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def module(workspace: Workspace, text: str) -> Path:
    path = workspace.path / "program"
    path.write_bytes(wasmtime.wat2wasm(text))
    return path


# The ends.


def test_data_goes_through_with_digests_and_counts(workspace: Workspace) -> None:
    data = os.urandom(200_000)
    (workspace.path / "in").write_bytes(data)
    stdin = f"{workspace.path}/in,/dev/stdin,0,1,100,300000,0,0"
    stdout = f"{workspace.path}/out,/dev/stdout,0,1,0,0,100,300000"
    done = workspace.run(workspace.manifest("copy", stdin=stdin, stdout=stdout, Memory="67108864,1"))
    digest = hashlib.md5(data).hexdigest()
    assert workspace.output("out") == data
    assert done.report.etags is not None
    assert list(done.report.etags) == ["/dev/stdin", "/dev/stdout", "/dev/memory"]
    assert done.report.etags["/dev/stdin"] == done.report.etags["/dev/stdout"] == digest
    assert re.fullmatch("[0-9a-f]{32}", done.report.etags["/dev/memory"])
    assert done.report.cdr[2:] == (5, 200_000, 4, 200_000, 0, 0, 0, 0)


def test_the_guests_own_code_is_told_and_is_not_the_exit_code(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("exit-3"))
    assert (done.code, done.report.retcode, done.report.state) == (0, 3, "ok")
    assert workspace.output("stderr") == b"what went wrong\n"


def test_a_trap_tells_where(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("trap"))
    assert (done.code, done.report.end) == (errno.EINTR, EndState.TRAPPED)
    assert re.fullmatch(r"trapped: .*unreachable.* at broken.* < .*", done.report.state)


def test_deep_recursion(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest(module(workspace, RECURSE)))
    assert (done.code, done.report.end) == (errno.EINTR, EndState.TRAPPED)
    assert "stack" in done.report.state
    assert len(done.report.state) < 1000


def test_the_time_limit_ends_a_spinning_guest_and_its_counts_survive(workspace: Workspace) -> None:
    start = time.monotonic()
    done = workspace.run(workspace.manifest(module(workspace, WRITE_THEN_LOOP), Timeout="1"))
    assert 1 <= time.monotonic() - start < 15
    assert (done.code, done.report.end) == (errno.EINTR, EndState.TIMED_OUT)
    assert done.report.state == "session timeout: the limit is 1 seconds"
    assert done.report.cdr[2:6] == (0, 0, 1, 10)
    assert done.report.cdr.user_time > 0
    assert done.report.etags is None


def test_the_time_limit_ends_a_guest_that_waits(workspace: Workspace) -> None:
    os.mkfifo(workspace.path / "fifo")
    keep = os.open(workspace.path / "fifo", os.O_RDWR)
    stdin = f"{workspace.path}/fifo,/dev/stdin,0,0,1,1,0,0"
    done = workspace.run(workspace.manifest("copy", stdin=stdin, Timeout="1"))
    os.close(keep)
    assert done.report.end is EndState.TIMED_OUT


def test_the_time_limit_ends_the_wait_for_a_fifos_other_end(workspace: Workspace) -> None:
    os.mkfifo(workspace.path / "fifo")
    stdin = f"{workspace.path}/fifo,/dev/stdin,0,0,1,1,0,0"
    assert workspace.run(workspace.manifest("copy", stdin=stdin, Timeout="1")).report.end is EndState.TIMED_OUT


def test_a_program_that_does_not_fit_its_memory(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest(module(workspace, BIG), Memory="67108864,0"))
    assert (done.code, done.report.end) == (errno.ENOMEM, EndState.OUT_OF_MEMORY)


def test_growth_stops_at_the_limit(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("grow", Memory="67108864,0"))
    assert (done.report.retcode, done.code) == (12, 0)


def test_fuel(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("loop", "Fuel=100000"))
    assert (done.code, done.report.end) == (errno.EINTR, EndState.OUT_OF_FUEL)
    assert workspace.run(workspace.manifest("copy", "Fuel=100000")).report.state == "ok"


def test_a_flood_is_stopped_by_the_channels_limit(workspace: Workspace) -> None:
    done = workspace.run(workspace.manifest("flood"))
    assert (done.code, done.report.retcode, done.report.end) == (0, 13, EndState.OUTPUT_LIMIT)
    assert done.report.state == "output limit: /dev/stdout is limited to 1000 writes and 100000 bytes"
    assert len(workspace.output()) == 100_000


def test_a_read_beyond_the_channels_limit(workspace: Workspace) -> None:
    stdin = "/dev/zero,/dev/stdin,0,0,1,100,0,0"
    done = workspace.run(workspace.manifest("copy", stdin=stdin))
    assert (done.report.retcode, done.report.end) == (10, EndState.READ_LIMIT)
    assert done.report.state == "read limit: /dev/stdin is limited to 1 reads and 100 bytes"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_cancels(workspace: Workspace, number: signal.Signals) -> None:
    path = workspace.manifest(module(workspace, WRITE_TWICE_THEN_LOOP))
    with workspace.start("-P", path) as process:
        wait_for(lambda: os.path.exists(workspace.path / "stdout") and len(workspace.output()) == 11, "both writes")
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == errno.EINTR
    assert errors == b""
    lines = out.decode().splitlines()
    assert lines[5].startswith(f"cancelled: signal {int(number)}")
    assert lines[4].split()[4:6] in (["1", "10"], ["2", "11"])  # killed before or after the second one was counted


def test_the_guest_dies_with_a_command_that_is_killed(workspace: Workspace) -> None:
    path = workspace.manifest(module(workspace, WRITE_THEN_LOOP))
    with workspace.start("-P", path) as process:
        wait_for(lambda: os.path.exists(workspace.path / "stdout") and workspace.output(), "the guest has begun")
        own = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(own) == 1
        process.kill()
        wait_for(lambda: not os.path.exists(f"/proc/{own[0]}") or state_of(own[0]) == "Z", "the guest is dead")


def state_of(process: str) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_guest_killed_from_outside_is_reported(workspace: Workspace) -> None:
    path = workspace.manifest(module(workspace, WRITE_THEN_LOOP))
    with workspace.start("-P", path) as process:
        wait_for(lambda: os.path.exists(workspace.path / "stdout") and workspace.output(), "the guest has begun")
        [guest] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(guest), signal.SIGKILL)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == errno.EINTR
    assert out.decode().splitlines()[5].startswith("unknown error: the session's process was killed from outside")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_roots_guests_run_as_nobody(workspace: Workspace) -> None:
    path = workspace.manifest(module(workspace, WRITE_THEN_LOOP))
    with workspace.start("-P", path) as process:
        wait_for(lambda: os.path.exists(workspace.path / "stdout") and workspace.output(), "the guest has begun")
        [guest] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        status = Path(f"/proc/{guest}/status").read_text()
        process.terminate()
        process.communicate(timeout=20)
    assert re.search(r"Uid:\t(\d+)\t\1\t\1\t\1\n", status)
    assert "Uid:\t0\t" not in status
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


# The options.


def test_dry_run(workspace: Workspace) -> None:
    done = workspace.run("-F", workspace.manifest("exit-3"))
    assert (done.code, done.report.retcode, done.report.state) == (0, 0, "ok")
    assert workspace.output() == b""
    assert workspace.run("-F", workspace.manifest("copy", stdin="/no/such,/dev/stdin,0,0,1,1,0,0")).code == errno.ENOENT
    broken = workspace.path / "broken"
    broken.write_bytes(b"\0asm")
    assert workspace.run("-F", workspace.manifest(broken)).code == errno.ENOEXEC


def test_skipped_validation_is_told_and_still_runs_nothing_invalid(workspace: Workspace) -> None:
    assert workspace.run("-s", workspace.manifest("copy")).report.validator == SKIPPED
    broken = workspace.path / "broken"
    broken.write_bytes(b"\0asm")
    done = workspace.run("-s", workspace.manifest(broken))
    assert (done.code, done.report.validator) == (errno.ENOEXEC, 1)


def test_the_validator_status_is_that_of_the_cache(workspace: Workspace) -> None:
    text = f'(module (memory (export "memory") 1) (func (export "_start")) (data "{os.urandom(8).hex()}"))'
    path = module(workspace, text)
    assert [workspace.run(workspace.manifest(path)).report.validator for _ in range(3)] == [0, 2, 2]
    workspace.cache = ""
    assert [workspace.run(workspace.manifest(path)).report.validator for _ in range(2)] == [0, 0]


def test_the_report_can_go_to_the_log(workspace: Workspace) -> None:
    done = workspace.run("-t", "1", workspace.manifest("copy"))
    assert (done.code, done.out) == (0, b"")
    assert workspace.run("-t", "0", workspace.manifest("copy")).report.state == "ok"


def test_options_and_manifest_in_any_order(workspace: Workspace) -> None:
    path = workspace.manifest("copy")
    for words in (["-P", path, "-Q"], [path, "-PQ", "-v0"], ["-PQM", path]):
        assert workspace.run(*words).report.state == "ok"


def test_help() -> None:
    command = [sys.executable, "-m", "zerocloud.zerovm.command", "-h"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: zerovm [options] MANIFEST\n")


def test_a_trace(workspace: Workspace) -> None:
    path = workspace.path / "trace"
    path.write_text("before\n")
    assert workspace.run("-T", path, workspace.manifest("copy")).code == 0
    before, header, *lines = path.read_text().splitlines()
    assert before == "before"
    assert header == f"[{os.getpid()}] 0.000000"
    assert all(re.fullmatch(r"\d+\.\d{6} \[\d+\.\d{6}\]: .+", line) for line in lines)
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)
    assert [line.partition(": ")[2] for line in lines][-2:] == ["program ended: ok", "session ended"]


def test_room_is_reserved_unless_told_not_to(workspace: Workspace) -> None:
    stdout = f"{workspace.path}/out,/dev/stdout,0,0,0,0,9,{1 << 60}"
    done = workspace.run(workspace.manifest("copy", stdout=stdout))
    assert done.code in (errno.ENOSPC, errno.EFBIG)
    assert done.report.state.startswith("MANIFEST 6: Channel /dev/stdout: no room for its 1152921504606846976 bytes")
    assert workspace.run("-P", workspace.manifest("copy", stdout=stdout)).code == 0


def test_reserved_room_is_given_back_even_if_the_guest_is_killed(workspace: Workspace) -> None:
    stdout = f"{workspace.path}/out,/dev/stdout,0,0,0,0,9,{1 << 22}"
    path = workspace.manifest(module(workspace, WRITE_THEN_LOOP), stdout=stdout, Timeout="1")
    assert workspace.run(path).report.end is EndState.TIMED_OUT
    assert len(workspace.output("out")) == 10
    assert os.stat(workspace.path / "out").st_blocks * 512 < 1 << 22


# The network, between processes.


def test_three_commands_in_a_row(workspace: Workspace) -> None:
    data = os.urandom(300_000)
    (workspace.path / "in").write_bytes(data)
    reads, writes = "0,1,1000,1000000,0,0", "0,1,0,0,1000,1000000"
    with name_server(1, 2, 3) as server:
        common = [f"NameServer=udp:127.0.0.1:{server[1]}", "Token=00112233445566778899aabbccddeeff"]
        sources = [
            (f"{workspace.path}/in", "tcp:2:"),
            ("tcp:1:0", "tcp:3:"),
            ("tcp:2:0", f"{workspace.path}/out"),
        ]
        processes = []
        for node, (source, target) in enumerate(sources, 1):
            stdin, stdout = f"{source},/dev/stdin,{reads}", f"{target},/dev/stdout,{writes}"
            path = workspace.manifest("copy", *common, f"Node={node}", stdin=stdin, stdout=stdout)
            processes.append(workspace.start("-P", path.rename(workspace.path / f"manifest.{node}")))
        reports = []
        for process in processes:
            with process:
                out, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, b"")
            reports.append(out.decode().splitlines())
    assert workspace.output("out") == data
    digest = hashlib.md5(data).hexdigest()
    assert {report[3] for report in reports} == {f"/dev/stdin {digest} /dev/stdout {digest}"}
    assert reports[1][4].split()[2:6] == ["0", "0", "0", "0"]
    assert reports[1][4].split()[7] == reports[1][4].split()[9] == "300000"
    assert {report[5] for report in reports} == {"ok"}


def test_a_failing_writer_fails_its_reader(workspace: Workspace) -> None:
    with name_server(1, 2) as server:
        common = [f"NameServer=udp:127.0.0.1:{server[1]}"]
        writes = "tcp:2:,/dev/stdout,0,0,0,0,1000,1000000"
        one = workspace.manifest("trap", *common, "Node=1", stdout=writes).rename(workspace.path / "one")
        two = workspace.manifest("copy", *common, "Node=2", stdin="tcp:1:0,/dev/stdin,0,0,9,9999,0,0")
        with workspace.start("-P", one) as writer, workspace.start("-P", two) as reader:
            lines = [process.communicate(timeout=60)[0].decode().splitlines() for process in (writer, reader)]
    assert lines[0][5].startswith("trapped: ")
    assert lines[1][5] == "peer lost: /dev/stdin has no peer left that answers"
    assert (writer.returncode, reader.returncode) == (errno.EINTR, errno.EPIPE)


def test_a_network_that_does_not_come_about(workspace: Workspace) -> None:
    extra = ["NameServer=udp:127.0.0.1:9", "Node=1"]
    stdin = "tcp:2:0,/dev/stdin,0,0,9,9,0,0"
    done = workspace.run(workspace.manifest("copy", *extra, stdin=stdin, Timeout="1"))
    assert done.report.end in (EndState.TIMED_OUT, EndState.PEER_LOST)
    assert done.code in (errno.EINTR, errno.ETIMEDOUT)


# What the guest sees of its configuration.


def test_arguments_and_environment(workspace: Workspace) -> None:
    (workspace.path / "nvram").write_text('[args]\nargs=prog one "two words" a\\x2cb\n[env]\nname=COLOUR, value=dark\\x20red\n')
    nvram = f"Channel={workspace.path}/nvram,/dev/nvram,3,0,9,99999,0,0"
    assert workspace.run("-P", workspace.manifest("arguments", nvram)).report.state == "ok"
    assert b"prog\0one\0two words\0a,b\0" in workspace.output()
    assert b"COLOUR=dark red\0" in workspace.output()


def test_a_failure_of_the_executor_itself_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("zerocloud.zerovm.local.run_session", fail)
    done = workspace.run(workspace.manifest("copy"))
    assert done.report.end is EndState.INTERNAL
    assert done.code != 0
    assert "RuntimeError: a mistake of ours" in done.errors


def test_what_the_caller_has_in_memory_is_no_part_of_the_guests_limit(workspace: Workspace) -> None:
    held = bytearray(300 << 20)
    done = workspace.run(workspace.manifest("copy"))
    del held
    assert (done.code, done.report.end) == (0, EndState.EXITED)
