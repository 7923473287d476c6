"""Daemon mode: a guest is frozen in one session, and later ones go on from there, each in a process of its own."""

import io
import os
import signal
import sys
import tarfile
import threading

import pytest
import wasmtime

from zerocloud.zerovm import report as reports
from zerocloud.zerovm.client import Connection
from zerocloud.zerovm.states import EndState

from .conftest import alive, children, memory_file, name, seccomp, wait_for

REAL = [sys.executable, "-m", "zerocloud.zerovm.service"]

# Writes "w" and asks to be frozen; then adds one to a number in its memory, writes that as a digit, copies stdin to stdout, and
# exits with the answer. "!" in stdin makes it spin, "?" makes it ask to be frozen again and exit with that answer.
GUEST = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "zerovm" "fork" (func $fork (result i32)))
  (memory (export "memory") 64)
  (data (i32.const 512) "w")
  (func $out (param $at i32) (param $size i32)
    (i32.store (i32.const 16) (local.get $at)) (i32.store (i32.const 20) (local.get $size))
    (if (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable)))
  (func (export "_start") (local $answer i32)
    (call $out (i32.const 512) (i32.const 1))
    (i32.store8 (i32.const 600) (i32.const 48))
    (memory.fill (i32.const 65536) (i32.const 7) (i32.const 4000000))
    (local.set $answer (call $fork))
    (i32.store8 (i32.const 600) (i32.add (i32.load8_u (i32.const 600)) (i32.const 1)))
    (call $out (i32.const 600) (i32.const 1))
    (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 1000))
    (if (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable))
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 33)) (then (loop $ever (br $ever))))
    (if (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 63))
      (then (call $exit (i32.and (call $fork) (i32.const 255)))))
    (call $out (i32.const 1024) (i32.load (i32.const 24)))
    (call $exit (local.get $answer))))"""
MANIFEST = """Version=20130611
Program={program}
Timeout={timeout}
Memory=67108864,0
Job={job}
Channel=fd:0,/dev/stdin,0,0,100,{limit},0,0
Channel=fd:1,/dev/stdout,0,1,0,0,100,1000000
Channel=/dev/null,/dev/stderr,0,0,0,0,100,1000000
"""


@pytest.fixture(scope="module")
def guest():
    return bytes(wasmtime.wat2wasm(GUEST))


@pytest.fixture
def running(service):
    return service(command=REAL)


class Run:
    """One session: of a program, or of a daemon where there is none."""

    def __init__(self, running, text=b"", program=None, job="d", timeout=20, limit=1000):
        self.files = [memory_file(text), memory_file(b"")]
        if program is not None:
            self.files.append(memory_file(program))
        self.manifest = MANIFEST.format(
            program="/dev/null" if program is None else "fd:2", timeout=timeout, job=job, limit=limit
        ).encode()
        self.connection = Connection.open(running.path)

    def finish(self):
        with self.connection:
            report = reports.parse(self.connection.run(self.manifest, self.files, timeout=30))
        output = os.pread(self.files[1], 10000, 0).decode()
        for file in self.files:
            os.close(file)
        return report, output


def run(running, *arguments, **options):
    return Run(running, *arguments, **options).finish()


def daemons(running):
    """The processes of frozen guests."""
    return [pid for pid in children(running.pid) if name(pid) == "zerovm-daemon"]


def sessions(running):
    return [pid for pid in children(running.pid) if name(pid) == "zerovm-session"]


def test_a_guest_is_frozen_and_sessions_go_on_from_there(running, guest):
    report, output = run(running, b"first", program=guest)
    assert (report.end, report.daemon, report.retcode, output) == (EndState.EXITED, 1, 1, "w1first")
    for text in (b"second", b"third"):
        report, output = run(running, text)
        assert (report.end, report.daemon, report.retcode, output) == (EndState.EXITED, 0, 0, f"1{text.decode()}")
        assert report.etags
        assert report.validator == 2
    wait_for(lambda: len(daemons(running)) == 1, "one daemon")


def test_the_log_tells_what_a_session_used(running, guest):
    wanted = Run(running, b"first", program=guest)
    wanted.manifest += b"Fuel=1000000000\n"
    wanted.finish()
    line = wait_for(lambda: [line for line in running.log_text().splitlines() if "session job=" in line], "its line")[0]
    facts = dict(word.split("=", 1) for word in line.partition("session ")[2].split())
    assert 4_000_000 < int(facts["fuel"]) < 5_000_000  # memory.fill is counted by bytes
    assert facts["cdr"].split(",")[2:] == ["1", "5", "3", "7", "0", "0", "0", "0"]
    assert facts["peak"].endswith("MiB")
    assert float(facts["wall"]) > 0


def test_sessions_of_one_daemon_at_once(running, guest):
    run(running, b"first", program=guest)
    found, threads = [], []
    for number in range(12):
        threads.append(threading.Thread(target=lambda number=number: found.append(run(running, b"%d" % number)[1])))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"1{number}" for number in range(12))


def test_without_a_daemon_there_is_a_report_that_says_so(running, guest):
    report, _ = run(running, b"x", job="nobody")
    assert report.state == "daemon nobody: none of that name is running"
    run(running, b"x", program=guest, job="a")
    assert "none of that name" in run(running, b"x", job="b")[0].state


def test_an_unlike_manifest_is_told_of(running, guest):
    run(running, b"first", program=guest)
    assert "difference in channel /dev/stdin" in run(running, b"x", limit=999)[0].state
    assert run(running, b"x")[1] == "1x"


def test_who_asks_is_told_of_daemons(running, guest):
    with running.connect() as connection:
        assert not connection.frozen("d")
        run(running, b"first", program=guest)
        assert (connection.frozen("d"), connection.frozen("e")) == (True, False)


def test_a_guest_frozen_for_more_goes_on_with_other_channels_and_less_memory(running, guest):
    large = bytes(wasmtime.wat2wasm(GUEST.replace('"memory") 64', '"memory") 512')))
    wanted = Run(running, b"first", program=large)
    wanted.manifest += b"Thaw=more\n"
    wanted.finish()
    wanted = Run(running, b"second")
    more = b"Channel=/dev/null,/dev/in/peer,0,0,9,9,0,0\nChannel=/dev/null,/dev/a,3,0,9,9,0,0\n"
    wanted.manifest = wanted.manifest.replace(b"Memory=67108864", b"Memory=60000000") + more
    report, output = wanted.finish()
    assert (report.end, output) == (EndState.EXITED, "1second")
    wanted = Run(running, b"third")
    wanted.manifest = wanted.manifest.replace(b"Memory=67108864", b"Memory=30000000")
    assert "difference in memory" in wanted.finish()[0].state
    assert run(running, b"fourth")[1] == "1fourth"


def test_what_a_thawed_session_has_no_memory_for_is_told_as_elsewhere(running, guest):
    """An image that is unpacked in memory, and a limit that does not hold it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("large")
        member.size = 64 << 20
        tar.addfile(member, io.BytesIO(bytes(member.size)))

    def run_with_image(program=None, job="d"):
        wanted = Run(running, program=program, job=job)
        number = len(wanted.files)
        mount = b"[args]\nargs=x\n[fstab]\nchannel=/dev/image, mountpoint=/, access=ro\n"
        wanted.files += [memory_file(archive.getvalue()), memory_file(mount)]
        more = f"Channel=fd:{number},/dev/image,3,0,99,99999999,0,0\nChannel=fd:{number + 1},/dev/nvram,3,0,99,9999,0,0\n"
        wanted.manifest += more.encode()
        report, _ = wanted.finish()
        return report.end, report.state, report.exit_code

    wanted = Run(running, b"first", program=guest)
    wanted.manifest += b"Thaw=more\n"
    wanted.finish()
    cold, warm = run_with_image(guest, "other"), run_with_image()
    assert cold == warm
    assert warm[0] is EndState.OUT_OF_MEMORY


def test_a_session_without_a_job_is_not_frozen(running, guest):
    wanted = Run(running, b"first", program=guest)
    wanted.manifest = wanted.manifest.replace(b"Job=d\n", b"")
    report, output = wanted.finish()
    assert (report.daemon, report.retcode, output) == (0, -1 & 0xFFFFFFFF, "w1first") or report.daemon == 0
    assert daemons(running) == []


# Writes its last argument to stdout.
ECHO = """(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (if (call $sizes (i32.const 0) (i32.const 4)) (then unreachable))
    (if (call $args (i32.const 16) (i32.const 1024)) (then unreachable))
    (i32.store (i32.const 8) (i32.load (i32.const 20)))
    (i32.store (i32.const 12) (i32.sub (i32.add (i32.const 1023) (i32.load (i32.const 4))) (i32.load (i32.const 20))))
    (if (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 512)) (then unreachable))))"""


def test_a_guest_that_knows_nothing_of_it_is_frozen_before_it_begins(running):
    def run_with(argument, program=None):
        wanted = Run(running, program=program)
        number = len(wanted.files)
        wanted.files.append(memory_file(f"[args]\nargs=echo {argument}\n[precache]\nprecache=yes\n".encode()))
        wanted.manifest += f"Channel=fd:{number},/dev/nvram,3,0,100,10000,0,0\n".encode()
        return wanted.finish()

    report, output = run_with("first", bytes(wasmtime.wat2wasm(ECHO)))
    assert (report.end, report.daemon, report.retcode, output) == (EndState.EXITED, 1, 0, "")
    for argument in ("second", "third"):
        report, output = run_with(argument)
        assert (report.end, report.daemon, report.retcode, output) == (EndState.EXITED, 0, 0, argument)


def test_it_can_not_be_frozen_twice(running, guest):
    run(running, b"first", program=guest)
    report, _ = run(running, b"?")
    assert (report.end, report.retcode, report.daemon) == (EndState.EXITED, 255, 0)


def test_a_thawed_session_is_walled_in_as_any_other_and_killed_on_time(running, guest):
    run(running, b"first", program=guest)
    wait_for(lambda: not sessions(running), "the burial of the one that froze it")
    spinning = Run(running, b"!", timeout=2)
    result = []
    thread = threading.Thread(target=lambda: result.append(spinning.finish()))
    thread.start()
    (session,) = wait_for(lambda: sessions(running), "the session")
    wait_for(lambda: seccomp(session) == "2", "its walls")
    with open(f"/proc/{session}/status") as status:
        assert "Seccomp_filters:\t2" in status.read()
    thread.join()
    assert result[0][0].end is EndState.TIMED_OUT
    assert run(running, b"x")[1] == "1x"


def test_hanging_up_ends_the_session_and_not_the_daemon(running, guest):
    run(running, b"first", program=guest)
    wait_for(lambda: not sessions(running), "the burial of the one that froze it")
    spinning = Run(running, b"!")
    thread = threading.Thread(target=lambda: suppress(spinning.finish))
    thread.start()
    (session,) = wait_for(lambda: sessions(running), "the session")
    spinning.connection._socket.shutdown(2)
    thread.join()
    wait_for(lambda: not alive(session), "its death", 2)
    assert run(running, b"x")[1] == "1x"


def suppress(call):
    try:
        call()
    except Exception:  # noqa: BLE001
        pass


def test_a_daemon_of_the_same_name_is_replaced(running, guest):
    run(running, b"first", program=guest)
    (first,) = wait_for(lambda: daemons(running), "the first daemon")
    run(running, b"first", program=guest)
    wait_for(lambda: not alive(first), "the first one's end")
    wait_for(lambda: len(daemons(running)) == 1, "one daemon")
    assert run(running, b"x")[1] == "1x"


def test_a_killed_daemon_is_gone_and_can_come_again(running, guest):
    run(running, b"first", program=guest)
    (daemon,) = wait_for(lambda: daemons(running), "the daemon")
    os.kill(daemon, signal.SIGKILL)
    wait_for(lambda: "ends: it" in running.log_text(), "a line in the log")
    assert "none of that name" in run(running, b"x")[0].state
    run(running, b"first", program=guest)
    assert run(running, b"x")[1] == "1x"


def test_a_stopped_daemon_delays_nobody_else(running, guest):
    run(running, b"first", program=guest)
    (daemon,) = wait_for(lambda: daemons(running), "the daemon")
    os.kill(daemon, signal.SIGSTOP)
    waiting = Run(running, b"x")
    thread = threading.Thread(target=lambda: suppress(waiting.finish))
    thread.start()
    assert run(running, b"y", program=guest, job="other")[1] == "w1y"
    assert thread.is_alive()
    os.kill(daemon, signal.SIGCONT)
    thread.join()


def test_few_daemons_and_the_idle_go(service, guest):
    running = service("--daemons", "2", "--daemon-idle", "1", command=REAL)
    for job in ("a", "b", "c"):
        run(running, b"x", program=guest, job=job)
    wait_for(lambda: len(daemons(running)) == 2, "the first one's end")
    assert "none of that name" in run(running, b"x", job="a")[0].state
    wait_for(lambda: daemons(running) == [], "the end of all that nobody uses")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_daemons_go_with_the_service(running, guest, number):
    run(running, b"x", program=guest)
    family = children(running.pid)
    running.process.send_signal(number)
    running.process.wait(20)
    wait_for(lambda: not any(map(alive, family)), "the end of all")


def test_nothing_grows(running, guest):
    run(running, b"x", program=guest)
    run(running, b"x")
    held = (lambda: len(os.listdir(f"/proc/{running.pid}/fd"))) if os.geteuid() == 0 else lambda: 0
    wait_for(lambda: len(running.guests()) == 1, "the daemon alone")
    before = held()
    for number in range(60):
        run(running, b"?" if number % 3 else b"x")
    wait_for(lambda: len(running.guests()) == 1, "the daemon alone")
    assert held() == before
