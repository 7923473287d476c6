"""Callers that break the protocol in every way, each followed by a good session; nothing of them remains."""

import array
import os
import socket
import time

import pytest

from zerocloud.zerovm.client import Connection
from zerocloud.zerovm.frames import pack

from .conftest import manifest, memory_file, wait_for

PATIENCE = ("--patience", "0.4")


def send(running, *pieces, descriptors=()):
    """Open a connection and send pieces, the first with descriptors; the connection."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(running.path)
    for number, piece in enumerate(pieces):
        ancillary = (
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors and not number else []
        )
        try:
            connection.sendmsg([piece], ancillary)
        except (BrokenPipeError, ConnectionResetError):
            break
    return connection


def answer(connection):
    """All that the service still says."""
    said = b""
    try:
        while more := connection.recv(65536):
            said += more
    except ConnectionResetError:
        pass
    finally:
        connection.close()
    return said.decode()


def open_descriptors(running):
    return len(os.listdir(f"/proc/{running.pid}/fd"))


@pytest.fixture
def running(service):
    """A service; at the end it does a good session and holds no more than at the beginning."""
    started = service(*PATIENCE)
    started.run("hello")
    before = open_descriptors(started) if os.geteuid() == 0 else None
    yield started
    assert started.run("hello good")[1] == "hello good"
    if before is not None:
        wait_for(lambda: open_descriptors(started) <= before, "descriptors back where they were")


HEADERS = {
    "half a header": (b"0x00", "was not there, whole, within 0.4 seconds"),
    "half a frame": (b"0x000100Pool=", "was not there, whole, within 0.4 seconds"),
    "nothing": (b"", "was not there, whole, within 0.4 seconds"),
    "a huge length": (b"0xffffff", "exceeds the limit of"),
    "a length that is none": (b"0xzzzzzz", "expected 0x and six hexadecimal digits"),
    "a negative length": (b"0x-00001", "expected 0x and six hexadecimal digits"),
    "a signed length": (b"0x+00001", "expected 0x and six hexadecimal digits"),
    "an underscored length": (b"0x00_001", "expected 0x and six hexadecimal digits"),
    "a length with blanks": (b"0x    1x", "expected 0x and six hexadecimal digits"),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "expected 0x and six hexadecimal digits"),
    "zeros": (bytes(1000), "expected 0x and six hexadecimal digits"),
    "garbage for an admission": (pack(b"Pool=\xff\xfe\n"), "Cannot find pool"),
    "a huge job id": (pack(b"Pool=default\nJobId=" + b"x" * 300), "at most 256 printable characters"),
    "a job id that forges a line": (pack(b"Pool=default\nJobId=\x1b[2J"), "printable"),
    "two pools": (pack(b"Pool=default\nPool=default\n"), "at most once"),
    "garbage for a manifest": (pack(b"\x00\xff" * 5000), "not specified"),
    "an empty manifest": (pack(b""), "empty"),
    "a manifest without its descriptors": (pack(manifest()), "fd:0 of 0 descriptors"),
}


AS_A_MANIFEST = {
    "garbage for an admission": "not specified",
    "a huge job id": "not specified",
    "a job id that forges a line": "not specified",
    "two pools": "duplicate Pool",
}


@pytest.mark.parametrize("kind", sorted(HEADERS))
def test_nonsense_is_refused_with_a_sentence(running, kind):
    sent, sentence = HEADERS[kind]
    assert sentence in answer(send(running, sent))


@pytest.mark.parametrize("kind", sorted(HEADERS))
def test_the_same_after_an_admission(running, kind):
    sent, sentence = HEADERS[kind]
    if kind == "nothing":
        pytest.skip("an admitted caller may take its time")
    sentence = AS_A_MANIFEST.get(kind, sentence)
    said = answer(send(running, pack(b"Pool=default\nJobId=1\n"), sent))
    assert said.startswith("0x000008admitted")
    assert sentence in said


def test_descriptors_beyond_the_limit(service):
    running = service("--descriptors", "100", *PATIENCE)
    said = answer(send(running, b"0", descriptors=[0] * 200))
    assert "more descriptors than the limit of 100" in said
    said = answer(send(running, *[bytes([byte]) for byte in pack(manifest())[:8]], descriptors=[0] * 101))
    assert "more descriptors than the limit of 100" in said
    connection = send(running, b"0", descriptors=[0] * 60)
    try:
        connection.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 60))])
    except ConnectionError:
        pass
    assert "more descriptors than the limit of 100" in answer(connection)
    assert running.run("hello")[1] == "hello "


def test_descriptors_with_every_byte(running):
    frame = pack(manifest() + b"#\n")
    connection = send(running, frame[:1], descriptors=[0] * 3)
    try:
        for byte in frame[1:]:
            connection.sendmsg([bytes([byte])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 30))])
    except (ConnectionError, OSError):
        pass
    assert "more descriptors than the limit of 4096" in answer(connection)


def test_descriptors_with_an_admission(running):
    assert "descriptors come with a manifest" in answer(send(running, pack(b"Pool=default\n"), descriptors=[0, 1]))


def test_many_descriptors_in_several_messages(running):
    files = [memory_file(running.program), memory_file(b"hello many"), memory_file(b"")]
    with Connection.open(running.path) as connection:
        report = connection.run(manifest(stdout="fd:702"), [*files[:2], *[files[1]] * 700, files[2]])
    assert b"\nok\n" in report
    assert os.pread(files[2], 100, 0) == b"hello many"
    for file in files:
        os.close(file)


def test_half_a_frame_after_which_nobody_is_there(running):
    for sent in (b"0x0001", b"0x000100Version"):
        send(running, sent, descriptors=[0] * 20).close()
    send(running, pack(b"Pool=default\n"), b"0x00010").close()


def test_idle_connections_that_fill_the_service_are_cleared(service):
    running = service("--connections", "8", *PATIENCE)
    idle = [send(running) for _ in range(8)]
    started = time.monotonic()
    assert running.run("hello")[1] == "hello "
    assert time.monotonic() - started < 5
    for connection in idle:
        assert "was not there" in answer(connection)


def test_a_caller_that_never_reads_its_answers(running):
    connection = send(running)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.settimeout(2)
    try:
        for _ in range(100000):
            connection.sendall(pack(b"Ping\n"))
    except (ConnectionError, TimeoutError):
        pass
    connection.close()


def test_bytes_too_many_are_left_alone(running):
    files = [memory_file(running.program), memory_file(b"hello"), memory_file(b"")]
    connection = send(running, pack(manifest()), b"and more" * 100, descriptors=files)
    assert "\nok\n" in answer(connection)
    for file in files:
        os.close(file)


def test_a_lingering_socket_does_not_hold_the_service_up(running):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sending = socket.create_connection(listening.getsockname())
        receiving, _ = listening.accept()
        sending.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x05\x00\x00\x00")
        sending.setblocking(False)
        try:
            while True:
                sending.send(bytes(65536))
        except BlockingIOError:
            pass
        frame = pack(b"Version=0\n")
        connection = send(running, frame[:5], descriptors=[sending.fileno()])
        sending.close()  # the service has the last reference
        started = time.monotonic()
        connection.sendall(frame[5:])
        assert "not specified" in answer(connection)
        running.run("hello")
        assert time.monotonic() - started < 2
        receiving.close()


@pytest.mark.parametrize("kind", ["directory", "pipe", "socket", "null"])
def test_programs_that_are_no_files(running, kind):
    reading, writing = os.pipe()
    one, other = socket.socketpair()
    descriptor = {
        "directory": os.open("/", os.O_RDONLY),
        "pipe": reading,
        "socket": one.fileno(),
        "null": os.open("/dev/null", os.O_RDONLY),
    }[kind]
    with Connection.open(running.path) as connection:
        report = connection.run(manifest(), [descriptor, descriptor, descriptor])
    assert b"the program is not a regular file" in report
    for number in (reading, writing):
        os.close(number)
    one.close()
    other.close()
    if kind in ("directory", "null"):
        os.close(descriptor)
