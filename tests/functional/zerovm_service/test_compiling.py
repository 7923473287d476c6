"""Compiling within limits, and the cache of what was compiled."""

import os
import stat
import subprocess
import sys
import time

import pytest
import wasmtime

from zerocloud.zerovm.service.cache import Cache, CacheError
from zerocloud.zerovm.states import EndState

from .conftest import ROOT, STUB, children, name, wait_for
from .hostile import many_locals_in_many_loops, module


def numbered(number):
    """A small valid program unlike any with another number."""
    return bytes(
        wasmtime.wat2wasm(f'(module (memory (export "memory") 1) (func (export "_start") (drop (i32.const {number}))))')
    )


def compiles(running, verdict="ok"):
    return running.log_text().count(f"bytes): {verdict}")


@pytest.fixture
def cache(tmp_path):
    """A directory that the service's user can reach."""
    os.chmod(tmp_path, 0o755)
    return tmp_path / "modules"


def test_concurrent_first_uses_compile_once(service, cache):
    running = service("--pools", "default = WaitPool(8,0)", cache=cache)
    program = module(b"\0" + b"\x41\x00\x1a" * 200_000 + b"\x0b")
    begun = [running.start("hello", program=program) for _ in range(8)]
    reports = [running.finish(*one)[0] for one in begun]
    assert {report.end for report in reports} == {EndState.EXITED}
    assert {report.validator for report in reports} == {0}
    wait_for(lambda: compiles(running), "its line in the log")
    assert compiles(running) == 1
    assert running.run("hello", program=program)[0].validator == 2


def test_the_cache_outlives_the_service_and_is_private(service, cache):
    first = service(cache=cache)
    assert first.run("hello")[0].validator == 0
    first.stop()
    second = service(cache=cache)
    assert second.run("hello")[0].validator == 2
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert cache.stat().st_uid == 65534


def test_too_much_cpu_time_is_a_refusal_that_names_the_limit_and_is_remembered(service, cache):
    running = service("--compile-seconds", "1", cache=cache)
    hostile = many_locals_in_many_loops(1000, 100)
    report, _ = running.run("hello", program=hostile)
    assert (report.end, report.validator) == (EndState.REFUSED, 1)
    assert "more than the limit of 1 seconds of CPU time" in report.state
    started = time.monotonic()
    assert running.run("hello", program=hostile)[0].state == report.state
    assert time.monotonic() - started < 0.5
    assert running.run("hello")[1] == "hello "


def test_too_much_memory_is_a_refusal_that_names_the_limit(service, cache):
    running = service("--compile-memory", str(512 << 20), cache=cache)
    report, _ = running.run("hello", program=many_locals_in_many_loops(5000, 300))
    assert "needs more than the limit of 512 MiB of memory" in report.state


def test_a_program_too_large_is_refused(service, cache):
    running = service("--program-bytes", "1000", cache=cache)
    report, _ = running.run("hello", program=numbered(1) + bytes(1000))
    assert "bytes, the limit is 1000" in report.state
    assert running.run("hello")[1] == "hello "


def test_sessions_go_on_while_something_compiles(service, cache):
    running = service("--compile-seconds", "2", cache=cache)
    connection, output = running.start("hello", program=many_locals_in_many_loops(1000, 100))
    wait_for(running.guests, "the compile")
    for _ in range(5):
        assert running.run("hello")[1] == "hello "
    assert running.finish(connection, output)[0].end is EndState.REFUSED


def test_hanging_up_leaves_the_compile_to_the_next_who_asks(service, cache):
    running = service("--pools", "default = WaitPool(1,0)", cache=cache)
    program = module(b"\0" + b"\x41\x00\x1a" * 200_000 + b"\x0b")
    connection, output = running.start("hello", program=program)
    wait_for(running.guests, "the compile")
    connection.close()
    os.close(output)
    wait_for(lambda: compiles(running), "its end")
    assert running.run("hello", program=program)[0].validator == 2


def test_few_compile_at_a_time(service, cache):
    running = service("--compile-parallel", "1", "--pools", "default = WaitPool(8,0)", cache=cache)
    programs = [module(b"\0" + b"\x41\x00\x1a" * (100_000 + number) + b"\x0b") for number in range(3)]
    begun = [running.start("hello", program=program) for program in programs]
    most = 0
    while compiles(running) < 3:
        most = max(most, len([child for child in running.guests() if name(child) == "zerovm-compile"]))
    assert most == 1
    assert all(running.finish(*one)[0].end is EndState.EXITED for one in begun)


def test_what_waits_for_its_turn_is_not_compiled_for_nobody(service, cache):
    running = service("--compile-parallel", "1", "--pools", "default = WaitPool(8,0)", cache=cache)
    sizes = (2_000_000, 200_001, 200_002, 200_003)  # the first takes longer than two callers need to leave
    programs = [module(b"\0" + b"\x41\x00\x1a" * size + b"\x0b") for size in sizes]
    first = running.start("hello", program=programs[0])
    wait_for(running.guests, "the first compile")
    second, *others = [running.start("hello", program=program) for program in programs[1:]]
    for connection, output in (second, others[0]):
        connection.close()
        os.close(output)
    assert running.finish(*first)[0].end is EndState.EXITED
    assert running.finish(*others[1])[0].end is EndState.EXITED
    assert compiles(running) == 2
    assert running.run("hello", program=programs[1])[0].validator == 0, "it was forgotten, so it is compiled now"


@pytest.mark.skipif(os.geteuid() != 0, reason="an unprivileged tester can't look into it")
def test_the_oldest_leave_a_full_cache(service, cache):
    running = service("--cache-bytes", "60000", cache=cache)
    for number in range(6):
        assert running.run("hello", program=numbered(number))[0].validator == 0
    names = os.listdir(cache)
    assert sum((cache / name).stat().st_size for name in names) <= 60000
    assert names
    assert running.run("hello", program=numbered(5))[0].validator == 2
    assert running.run("hello", program=numbered(0))[0].validator == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can spoil another user's file")
def test_a_spoilt_module_is_dropped_and_compiled_again(service, cache):
    running = service(cache=cache)
    running.run("hello")
    (name,) = os.listdir(cache)
    (cache / name).write_bytes(b"\x7fELF nonsense")
    report, _ = running.run("hello")
    assert report.end is EndState.INTERNAL
    wait_for(lambda: "is dropped" in running.log_text(), "a line in the log")
    assert running.run("hello")[0].validator == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can remove another user's file")
def test_a_module_that_leaves_the_cache_meanwhile_is_compiled_again(service, cache):
    running = service(cache=cache)
    running.run("hello")
    (name,) = os.listdir(cache)
    os.unlink(cache / name)
    assert running.run("hello")[0].validator == 0


def test_a_compile_killed_with_its_service_leaves_nothing(service, cache):
    running = service(cache=cache)
    _, output = running.start("hello", program=many_locals_in_many_loops(1000, 100))
    family = wait_for(lambda: running.guests() and children(running.pid), "the compile")
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in family), "its death")
    if os.geteuid() == 0:
        assert os.listdir(cache) == []
    os.close(output)


def test_long_compiles_tell_of_their_progress(service, cache):
    script = (
        "import sys; from zerocloud.zerovm.service import compiler, server;"
        "from tests.functional.zerovm_service.stub import run;"
        "compiler._PROGRESS_SECONDS = 0.3; sys.exit(server.serve(sys.argv[1:], run))"
    )
    running = service("--compile-seconds", "1", command=[sys.executable, "-c", script], cache=cache)
    running.run("hello", program=many_locals_in_many_loops(1000, 100))
    assert "for 0 s; the limit is 1 s of CPU time" in running.log_text()


def test_a_file_that_changes_is_digested_anew(service, cache, tmp_path):
    from zerocloud.zerovm.client import Connection

    from .conftest import manifest, memory_file

    running = service(cache=cache)
    path = tmp_path / "program"
    for number in (7, 8):
        path.write_bytes(numbered(number))
        descriptors = [os.open(path, os.O_RDONLY), memory_file(b"hello"), memory_file(b"")]
        with Connection.open(running.path) as connection:
            assert connection.run(manifest(), descriptors).startswith(b"0\n")
        for descriptor in descriptors:
            os.close(descriptor)
    wait_for(lambda: compiles(running) == 2, "two compiles")


def test_a_cache_of_another_user_is_not_used(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    directory = tmp_path / "theirs"
    directory.mkdir()
    os.chown(directory, 4711, 4711)
    with pytest.raises(CacheError, match="belongs to user 4711"):
        Cache(str(directory), 1000)


def test_a_directory_that_holds_other_files_is_left_as_it_is(tmp_path):
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o755)
    (directory / "file").touch()
    with pytest.raises(CacheError, match="holds files and is open to other users"):
        Cache(str(directory), 1000)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755
    if os.geteuid() == 0:
        with pytest.raises(CacheError, match="belongs to user 0, not to 65534"):
            Cache(str(directory), 1000, owner=65534)
        assert directory.stat().st_uid == 0
    (directory / "file").unlink()
    Cache(str(directory), 1000).close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_cache_that_can_not_be_made_is_told_of(tmp_path):
    (tmp_path / "file").write_text("")
    command = [*STUB, str(tmp_path / "s"), "--cache", str(tmp_path / "file" / "cache")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "can't start: cache" in ended.stderr or "Not a directory" in ended.stderr
