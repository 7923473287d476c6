"""The operator's own programs: compiled ahead, beyond the limits for users' programs, and the last to leave the cache."""

import os
import stat

import pytest

from zerocloud.zerovm.client import ServiceRefused
from zerocloud.zerovm.command import main
from zerocloud.zerovm.frames import COMPILE, COMPILED, read_frame, send_frame
from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.states import EndState

from .conftest import memory_file, name, wait_for
from .hostile import many_locals_in_many_loops

SLOW = many_locals_in_many_loops(600, 80)
"""Takes more than a second to compile."""


def test_only_the_operators_program_may_take_long(service, tmp_path):
    os.chmod(tmp_path, 0o755)
    running = service("--compile-seconds", "1", cache=tmp_path / "modules")
    assert running.run("hello", program=SLOW)[0].end is EndState.REFUSED
    program = memory_file(SLOW)
    with running.connect() as connection:
        connection.compile(program, timeout=120)
    with running.connect() as connection:
        connection.compile(program, timeout=120)  # there already
    os.close(program)
    assert running.log_text().count(f"({len(SLOW)} bytes): ok") == 1
    report, _ = running.run("hello", program=SLOW)
    assert (report.end, report.validator) == (EndState.EXITED, 2)


def test_a_session_waits_for_the_operators_compile(service, tmp_path):
    os.chmod(tmp_path, 0o755)
    running = service("--compile-seconds", "1", cache=tmp_path / "modules")
    program = memory_file(SLOW)
    with running.connect() as connection:
        send_frame(connection._socket, COMPILE, [program])
        wait_for(lambda: any(name(child) == "zerovm-compile" for child in running.guests()), "its compile")
        assert running.run("hello", program=SLOW)[0].end is EndState.EXITED
        assert read_frame(connection._socket) == COMPILED
    os.close(program)


def test_what_was_there_already_becomes_the_operators(service, tmp_path):
    os.chmod(tmp_path, 0o755)
    running = service(cache=tmp_path / "modules")
    running.run("hello")
    program = memory_file(running.program)
    with running.connect() as connection:
        connection.compile(program, timeout=60)
    os.close(program)
    if os.geteuid() == 0:
        (file,) = (tmp_path / "modules").iterdir()
        assert file.stat().st_mode & stat.S_ISVTX


def test_a_program_that_is_none_is_refused_and_the_service_goes_on(service):
    running = service()
    program = memory_file(b"\0asm no")
    with running.connect() as connection, pytest.raises(ServiceRefused, match="not a valid WebAssembly module"):
        connection.compile(program, timeout=60)
    os.close(program)
    assert running.run("hello")[0].end is EndState.EXITED


def test_a_users_program_is_validated_within_the_limits_of_one(service, tmp_path):
    os.chmod(tmp_path, 0o755)
    running = service("--compile-seconds", "1", "--pools", "default = WaitPool(1, 1);", cache=tmp_path / "modules")
    slow, good = memory_file(SLOW), memory_file(running.program)
    with running.connect() as connection:
        connection.admit()
        with pytest.raises(ServiceRefused, match="more than the limit of 1 seconds"):
            connection.validate(slow, timeout=120)
    for admitted in (True, False):
        with running.connect() as connection:
            if admitted:
                connection.admit(timeout=60)  # the slot came back
            connection.validate(good, timeout=60)
    os.close(slow)
    os.close(good)
    assert running.run("hello")[0].validator == 2


def test_the_command_line(service, tmp_path, capsys):
    running = service()
    good, bad = tmp_path / "good.wasm", tmp_path / "bad.wasm"
    good.write_bytes(running.program)
    bad.write_bytes(b"bad")
    assert main(["--compile", running.path, str(good)]) == 0
    assert main(["--compile", running.path, str(bad)]) == 8
    assert "bad.wasm: not a valid WebAssembly module" in capsys.readouterr().err
    assert main(["--compile", running.path, str(tmp_path / "none")]) == 5
    assert "No such file" in capsys.readouterr().err
    assert main(["--compile", str(tmp_path / "nobody"), str(good)]) == 5
    assert "executor service" in capsys.readouterr().err
    assert main(["--compile"]) == 22


def test_the_operators_programs_leave_a_full_cache_last(tmp_path):
    cache = Cache(str(tmp_path / "cache"), limit=25)

    def store(name, trusted=False):
        file = cache.create()
        os.write(file, b"0123456789")
        cache.store(file, name, trusted)
        os.close(file)

    def names():
        return {name.removesuffix(".cwasm") for name in os.listdir(tmp_path / "cache")}

    store("own", trusted=True)
    for other in ("a", "b", "c"):
        store(other)
    assert "own" in names()
    assert len(names()) == 2
    assert stat.S_IMODE((tmp_path / "cache" / "own.cwasm").stat().st_mode) & 0o777 == 0o400
    store("other", trusted=True)
    store("third", trusted=True)
    assert names() < {"own", "other", "third"}
    cache.close()
