"""What a C program sees."""

import gzip
import io
import os
import tarfile

import pytest

from tests.unit.zrt.archives import archive, directory, image, member, symlink
from zerocloud.zrt.channel import PlainChannel
from zerocloud.zrt.errors import GuestTrap
from zerocloud.zrt.world import Mount


def good(outcome):
    assert (outcome.code, outcome.error) == (0, b"")
    return outcome.out


def test_arguments_and_environment(host, everything):
    out = good(host.run(everything, "show", "two words", "", env={b"HOME": b"/", b"X": b"1=2"}))
    assert out == b"arg guest\narg show\narg two words\narg \nenv HOME=/\nenv X=1=2\n"


def test_exit_codes(host, everything):
    for code in (0, 1, 255, 256, -1):
        assert host.run(everything, "exit", str(code)).code == code


def test_files_and_directories(host, everything):
    out = good(host.run(everything, "files"))
    assert out == b"./ ../ dev/ \n./ ../ stderr stdin stdout \n"


def test_channels(host, everything):
    channels = {
        "/dev/in/a": host.file("a", b"first\nsecond\n", readable=True, random_read=True),
        "/dev/out/b": host.file("b"),
        "/dev/log": host.file("log", b"old\n", os.O_WRONLY | os.O_APPEND, writable=True, random_read=True),
    }
    out = good(host.run(everything, "channels", stdin=b"one\ntwo\n", channels=channels))
    assert out == b"< one\n< two\n"
    assert host.contents("b") == b"written\n"
    assert host.contents("log") == b"old\nappended\n"


def test_a_clock_and_random_bytes_that_repeat(host, everything):
    runs = {good(host.run(everything, "clocks", clock=1_700_000_000.5, seed=3)) for _ in range(2)}
    assert len(runs) == 1
    real, monotonic, _ = runs.pop().split()
    assert real == b"1700000000.500000000"
    assert monotonic == b"1700000000.505001000"
    assert good(host.run(everything, "clocks")) != good(host.run(everything, "clocks"))


def test_polling(host, everything):
    source, sink = os.pipe()
    try:
        channels = {"/dev/stdin": PlainChannel(source, readable=True), "/dev/stdout": PlainChannel(sink, writable=True)}
        good(host.run(everything, "polling", channels=channels))
    finally:
        os.close(source)
        os.close(sink)


def test_files_and_memory_share_a_limit(host, everything):
    written, files = map(int, good(host.run(everything, "fill", memory_limit=32 << 20)).split())
    assert 12 <= written < 32
    assert 1000 < files < 32_000


def test_a_copy(host, everything):
    data = os.urandom(1_000_000)
    assert good(host.run(everything, "copy", stdin=data)) == data


def test_standard_streams_can_be_other_files(host, everything):
    assert good(host.run(everything, "reopen")) == b"into"


def test_images(host, everything):
    data = archive(directory("lib"), member("lib/a", b"x"), symlink("l", "lib"))
    mounts = [image(host.path, data, "1.tar"), image(host.path, gzip.compress(data), "2.tar", mountpoint="/more")]
    host.opened.extend(mount.fd for mount in mounts)
    out = good(host.run(everything, "list", "/", "/lib", "/more/l", mounts=mounts))
    assert out == b"./ ../ dev/ lib/ l more/ \n./ ../ a \n./ ../ a \n"


def test_an_archive_left_at_exit(host, everything):
    mounts = [Mount("/", "wo", channel="/dev/out")]
    good(host.run(everything, "files", mounts=mounts, channels={"/dev/out": host.file("out.tar")}))
    with tarfile.open(fileobj=io.BytesIO(host.contents("out.tar"))) as tar:
        assert tar.getnames() == []


@pytest.fixture(scope="session")
def with_names(compile_c):
    """The same, with its functions' names kept."""
    return compile_c("everything", "-g")


def test_a_trap_names_the_guests_functions(host, with_names):
    with pytest.raises(GuestTrap) as caught:
        host.run(with_names, "fall")
    assert caught.value.code == "unreachable"
    functions = [line.split(" ")[0] for line in caught.value.backtrace]
    assert functions[0] == "fall"
    assert functions[-1] == "_start"


def test_endless_recursion(host, with_names):
    with pytest.raises(GuestTrap) as caught:
        host.run(with_names, "dive")
    assert caught.value.code in ("stack_overflow", "memory_out_of_bounds")
    assert "dive" in caught.value.backtrace[0]


def test_a_trace(host, everything):
    calls = []
    good(host.run(everything, "show", trace=lambda *call: calls.append(call)))
    names = [call[0] for call in calls]
    assert names.count("args_get") == 1
    _, arguments, errno, nanoseconds = calls[names.index("fd_write")]
    assert arguments[0] == 1
    assert (errno, nanoseconds > 0) == (0, True)


def test_every_call_in_the_debug_channel(host, everything):
    good(host.run(everything, "show", debug=4, channels={"/dev/debug": host.file("debug")}))
    lines = host.contents("debug").decode().splitlines()
    assert any(line.startswith("fd_write(1, ") and ": SUCCESS, " in line for line in lines)
    assert any(line.startswith("fd_prestat_get(4, ") and ": BADF, " in line for line in lines)
    assert host.run(everything, "exit", "3", debug=4, channels={"/dev/debug": host.file("debug")}).code == 3
    assert host.contents("debug").decode().splitlines()[-1].startswith("proc_exit(3): does not return")


def test_a_thousand_guests_leave_nothing_behind(host, everything):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])

    sizes, threads = [], set(os.listdir("/proc/self/task"))
    for _ in range(6):
        for _ in range(50):
            good(host.run(everything, "exit", "0"))
            host.close()
            host.opened.clear()
        sizes.append(resident())
    assert sizes[-1] - sizes[1] < 1000
    assert set(os.listdir("/proc/self/task")) == threads
