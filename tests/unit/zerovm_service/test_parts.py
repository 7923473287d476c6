"""Log lines, options, digests, the cache's directory."""

import hashlib
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerocloud.zerovm.service.cache import Cache
from zerocloud.zerovm.service.digests import PIECE_BYTES, Digests
from zerocloud.zerovm.service.log import Log, open_log
from zerocloud.zerovm.service.options import parse_options


def lines(path):
    return path.read_text().splitlines()


@given(st.text())
def test_no_line_of_the_log_can_be_forged(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "forged.log"
    log = open_log(str(path))
    log.write(text)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 1
    os.close(log.descriptor)
    path.unlink()


def test_a_full_pipe_does_not_hold_the_log_up():
    reading, writing = os.pipe()
    log = Log(writing)
    for _ in range(1000):
        log.write("x" * 3000)
    os.read(reading, 1 << 20)
    log.write("room again")
    assert b"lines before this one were dropped)" in os.read(reading, 1 << 20)
    os.close(reading)
    os.close(writing)


def test_the_log_keeps_its_size_and_its_last_lines(tmp_path):
    path = tmp_path / "log"
    log = open_log(str(path), 10_000)
    for number in range(1000):
        log.write(f"line {number}")
        assert path.stat().st_size <= 10_100
    os.close(log.descriptor)
    numbers = [int(line.rpartition(" ")[2]) for line in lines(path)]
    assert numbers == list(range(numbers[0], 1000))
    assert len(numbers) > 40


def test_a_log_that_is_no_file_has_no_size():
    log = open_log("/dev/null", 10)
    log.write("much more than that")
    os.close(log.descriptor)


def test_options_are_read_into_their_fields():
    words = (
        "/run/s --cache /c --pools default=WaitPool(1,2) --linger 1.5 --compile-seconds 7 --user me --callers swift --log /l "
        "--connections 3 --descriptors 4 --patience 2 --cache-bytes 5 --compile-memory 6 --compile-parallel 8 "
        "--program-bytes 9 --nice 10 --background --require-walls --log-bytes 99"
    )
    options = parse_options(words.split())
    compiling = options.compiling
    assert (compiling.seconds, compiling.memory, compiling.parallel, compiling.program) == (7, 6, 8, 9)
    assert (options.socket, options.cache, options.linger, options.user, options.callers) == (
        "/run/s",
        "/c",
        1.5,
        "me",
        "swift",
    )
    assert (options.log, options.connections, options.descriptors, options.patience) == ("/l", 3, 4, 2.0)
    assert (options.cache_bytes, options.nice, options.background, options.require_walls) == (5, 10, True, True)
    assert options.log_bytes == 99
    assert options.pools["default"].queue == 2


@pytest.mark.parametrize(
    "bad",
    [
        ["--linger", "-1"],
        ["--linger", "nan"],
        ["--connections", "0"],
        ["--connections", "x"],
        ["--pools", "x"],
        ["--nice", "20"],
    ],
)
def test_bad_options_are_refused(bad, capsys):
    with pytest.raises(SystemExit):
        parse_options(["/run/s", *bad])
    assert bad[0] in capsys.readouterr().err


def digest(digests, descriptor):
    step = digests.begin(descriptor)
    while (found := step.step()) is None:
        pass
    return found


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_digests_are_sha256(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    with open(path, "rb") as file:
        assert digest(Digests(), file.fileno()) == hashlib.sha256(b"x" * size).hexdigest()
        assert file.tell() == 0


def test_only_files_at_rest_are_remembered(tmp_path):
    digests, path = Digests(), tmp_path / "file"
    path.write_bytes(b"x")
    with open(path, "rb") as file:
        digest(digests, file.fileno())
        assert digests.find(file.fileno()) is None  # it may change again within this tick of the clock
    assert os.stat(path).st_ctime <= time.time()


def test_an_old_file_is_remembered_until_it_changes():
    digests = Digests()
    with open(os.__file__, "rb") as file:
        found = digest(digests, file.fileno())
        assert digests.find(file.fileno()) == found


def test_the_cache_evicts_what_was_unused_for_longest(tmp_path):
    cache = Cache(str(tmp_path / "c"), 250)
    for number, name in enumerate(("a", "b", "c")):
        file = cache.create()
        os.write(file, b"x" * 100)
        cache.store(file, name)
        os.close(file)
        used = time.time() - 1000 + number
        if (tmp_path / "c" / f"{name}.cwasm").exists():
            os.utime(tmp_path / "c" / f"{name}.cwasm", (used, used))
    assert sorted(os.listdir(tmp_path / "c")) == ["b.cwasm", "c.cwasm"]
    os.close(cache.open("b"))  # used now
    file = cache.create()
    os.write(file, b"y" * 100)
    cache.store(file, "d")
    cache.store(file, "d")  # a second time changes nothing
    os.close(file)
    assert sorted(os.listdir(tmp_path / "c")) == ["b.cwasm", "d.cwasm"]
    assert cache.open("c") is None
    cache.remove("c")
    cache.close()


def test_one_module_larger_than_the_cache_stays_while_it_is_new(tmp_path):
    cache = Cache(str(tmp_path / "c"), 10)
    file = cache.create()
    os.write(file, b"x" * 100)
    cache.store(file, "large")
    os.close(file)
    os.close(cache.open("large"))
    cache.close()


def test_the_service_imports_nothing_that_has_work_to_do_in_each_fork():
    script = (
        "import sys, zerocloud.zerovm.service.server;"
        "print(*{'threading', 'random', 'logging', 'multiprocessing', 'concurrent.futures'} & set(sys.modules))"
    )
    imported = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert imported.stdout.strip() == ""
