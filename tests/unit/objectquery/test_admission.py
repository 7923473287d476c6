import errno
import logging
import socket
from types import SimpleNamespace

import pytest

from zerocloud.objectquery import admission
from zerocloud.objectquery.admission import ExecutorService, service_command
from zerocloud.objectquery.refusal import Refusal
from zerocloud.objectquery.settings import Settings
from zerocloud.zerovm import client
from zerocloud.zerovm.client import Connection, ServiceLost, ServiceRefused, ServiceUnavailable

HEAD = SimpleNamespace(pool="default", job="job-1", timeout=5, patience=3.0)


class FakeService:
    """Stands for the service: its ends of all connections, in the order of their opening."""

    def __init__(self):
        self.ends = []
        self.admission = None
        self.running = True

    def open(self, path, timeout=5.0):
        if not self.running:
            raise ServiceUnavailable(f"executor service at {path}: nobody there")
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        return FakeConnection(ours, self)

    def close(self):
        for end in self.ends:
            end.close()


class FakeConnection(Connection):
    def __init__(self, connected, service):
        super().__init__(connected)
        self._service = service

    def hold(self):
        self._socket.sendall(b"hold")

    def admit(self, pool="default", job_id="", timeout=None):
        if self._service.admission is not None:
            raise self._service.admission


@pytest.fixture
def fake(monkeypatch):
    service = FakeService()
    monkeypatch.setattr(admission.Connection, "open", service.open)
    yield service
    service.close()


@pytest.fixture
def executor(fake):
    made = ExecutorService(Settings.read({"zerovm_socket": "/s"}), logging.getLogger("test"))
    yield made
    if made._held is not None:
        made._held.close()


def test_one_connection_is_held_for_all_sessions(executor, fake):
    for _ in range(3):
        with executor.admitted(HEAD):
            pass
    assert len(fake.ends) == 4
    assert fake.ends[1].recv(9) == b"hold"


def test_a_lost_hold_is_renewed(executor, fake):
    with executor.admitted(HEAD):
        fake.ends[1].close()
    with executor.admitted(HEAD):
        assert fake.ends[3].recv(9) == b"hold"


def test_a_session_leaves_its_connection_closed(executor, fake):
    with pytest.raises(ZeroDivisionError), executor.admitted(HEAD):
        1 / 0  # noqa: B018
    assert fake.ends[0].recv(9) == b""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ServiceRefused("Slot not available: pool default has 1"), "Slot not available: pool default has 1"),
        (ServiceRefused("It is too late"), "Slot not available: It is too late"),
        (ServiceLost("gone"), "The executor service failed before the session began: gone"),
    ],
)
def test_no_slot_is_503(executor, fake, error, text):
    fake.admission = error
    with pytest.raises(Refusal) as caught, executor.admitted(HEAD):
        pytest.fail("admitted")
    assert (caught.value.status, str(caught.value)) == (503, text)
    assert fake.ends[0].recv(9) == b""


def test_no_service_is_503(executor, fake, monkeypatch):
    fake.running = False

    def fail(path, command, log):
        raise ServiceUnavailable("can't be started")

    monkeypatch.setattr(admission, "ensure_service", fail)
    with pytest.raises(Refusal, match="can't be started on this server") as caught, executor.admitted(HEAD):
        pytest.fail("admitted")
    assert caught.value.status == 503


def test_a_process_without_a_descriptor_to_spare_gets_no_answer(monkeypatch):
    """That ends neither the thread that asks for a sign of life nor a session in another way than others."""

    def full(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(client, "socket", SimpleNamespace(socket=full, AF_UNIX=None, SOCK_STREAM=None))
    assert not ExecutorService(Settings.read({"zerovm_socket": "/s"}), logging.getLogger("test")).answers()


def test_the_service_is_started_when_nobody_answers(executor, fake, monkeypatch):
    fake.running = False
    commands = []

    def start(path, command, log):
        commands.append(command)
        fake.running = True
        return fake.open(path)

    monkeypatch.setattr(admission, "ensure_service", start)
    with executor.admitted(HEAD):
        pass
    assert len(commands) == 1


def test_the_command():
    options = {
        "zerovm_exename": "/opt/zerovm",
        "zerovm_socket": "/s",
        "zerovm_cache": "/c",
        "zerovm_linger": "2.5",
        "zerovm_maxnexe": "77",
        "zerovm_threadpools": "default = WaitPool(1,2);",
        "zerovm_service_options": "--nice 9",
    }
    assert service_command(Settings.read(options)) == [
        *("/opt/zerovm", "--serve", "/s", "--pools", "default = WaitPool(1,2);", "--linger", "2.5", "--cache", "/c"),
        *("--program-bytes", "77", "--nice", "9"),
    ]
