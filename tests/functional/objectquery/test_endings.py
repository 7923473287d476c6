"""Every way in which a session can end before its time leaves nothing behind, and harms nobody else."""

import os
import select
import signal
import socket
import struct
import threading
import time
from contextlib import ExitStack

import pytest

from tests.guests import compiled
from zerocloud import wire
from zerocloud.objectquery import pulse

from .conftest import READ, STDOUT, device, name_of, node, storage_server, tar_stream, wait_for, worker


def body_of(guest, description, *members):
    return tar_stream([("sysmap", description.to_json()), ("boot", compiled(guest)), *members])


def reset(connection):
    """Close so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def warm(server):
    """The server, its executor running."""
    assert server.run("copy", node(STDOUT)).status == 200
    wait_for(lambda: server.sessions() == 0, "no session")
    return server


LOOP = node(STDOUT, timeout=50)


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_a_proxy_that_hangs_up_ends_its_session_within_a_second(warm, leave):
    body = body_of("loop", LOOP)
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: warm.sessions() == 1, "the session runs")
        leave(connection)
        wait_for(lambda: warm.sessions() == 0, "the session has ended", 1)
    wait_for(lambda: not warm.leftovers(), "nothing left", 1)


def test_a_proxy_that_hangs_up_while_it_sends(warm):
    body = body_of("loop", LOOP, ("input", b"x" * 100000))
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body[:90000])
        wait_for(warm.leftovers, "a temporary file")
    wait_for(lambda: not warm.leftovers(), "nothing left", 1)
    assert warm.sessions() == 0


def test_a_proxy_that_leaves_the_answer_unread(warm):
    data = os.urandom(1 << 20) * 7
    body = body_of("copy", node(device("stdin", READ), STDOUT), ("stdin", data))
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: connection.recv(100, socket.MSG_PEEK), "the answer's first bytes")
        assert warm.open_temporaries()
    wait_for(lambda: not warm.leftovers(), "nothing left", 2)


def test_an_answer_is_read_slowly_without_a_slot(warm):
    data = os.urandom(1 << 20) * 7
    body = body_of("copy", node(device("stdin", READ), STDOUT), ("stdin", data))
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: connection.recv(100, socket.MSG_PEEK), "the answer's first bytes")
        wait_for(lambda: warm.sessions() == 0, "the session is over")
        assert warm.answer(connection).members == {"stdout": data}


def test_the_executor_service_dies_under_a_session(warm, stopped):
    body = body_of("loop", LOOP)
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: warm.sessions() == 1, "the session runs")
        stopped(warm.service())
        answer = warm.answer(connection)
    assert answer.status == 500
    assert answer.body.startswith(b"The executor service was lost while the program ran")
    assert answer.headers[wire.STATUS] == wire.RUNTIME_ERROR
    assert answer.headers[wire.ERROR]
    wait_for(lambda: not warm.executors(), "its sessions died with it", 2)
    assert warm.run("copy", node(device("stdin", READ), STDOUT), members=[("stdin", b"again")]).members == {"stdout": b"again"}


def test_a_session_that_is_killed_from_outside_is_lost_and_not_its_programs_failure(warm, stopped):
    body = body_of("loop", LOOP)
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: warm.sessions() == 1, "the session runs")
        stopped(*(pid for pid in warm.executors() if name_of(pid) == "zerovm-session"))
        answer = warm.answer(connection)
    assert answer.status == 500
    assert b"killed from outside" in answer.body
    assert answer.headers[wire.STATUS] == wire.RUNTIME_ERROR
    wait_for(lambda: not warm.leftovers(), "nothing left", 2)


def test_the_executor_service_dies_between_sessions(warm, stopped):
    stopped(warm.service())
    answers = []
    callers = [threading.Thread(target=lambda: answers.append(warm.run("copy", node(STDOUT)).status)) for _ in range(5)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [200] * 5
    wait_for(lambda: len(warm.services()) == 1, "one service for all")


def test_an_executor_service_that_can_not_be_started(tmp_path):
    with storage_server(tmp_path, zerovm_exename="/absent/zerovm") as server:
        answer = server.run("copy", node(STDOUT))
        assert (answer.status, answer.body) == (503, b"The executor service can't be started on this server")
        assert "/absent/zerovm" in (tmp_path / "server.log").read_text()
        wait_for(lambda: not server.leftovers(), "nothing left")


def test_who_waits_in_the_queue_is_told_when_its_patience_is_over(tmp_path):
    with storage_server(tmp_path, zerovm_threadpools="default = WaitPool(1,3);") as server:
        body = body_of("loop", LOOP)
        with server.started("/a", len(body)):
            answer = server.run("copy", node(STDOUT), X_Zerovm_Patience="0.1")
            assert (answer.status, answer.body) == (503, b"Slot not available: none came free within 0.1 seconds")
        wait_for(lambda: not server.leftovers(), "nothing left")


def test_workers_of_one_host_share_its_slots(tmp_path):
    with storage_server(tmp_path, zerovm_threadpools="default = WaitPool(1,3);") as first, worker(tmp_path) as second:
        assert [one.run("copy", node(STDOUT)).status for one in (first, second)] == [200, 200]
        assert len(second.services()) == 1
        body = body_of("loop", LOOP)
        with first.started("/a", len(body)):
            answer = second.run("copy", node(STDOUT), X_Zerovm_Patience="0.1")
            assert (answer.status, answer.body) == (503, b"Slot not available: none came free within 0.1 seconds")
        assert second.run("copy", node(STDOUT)).status == 200


def test_a_storm_gets_slots_a_queue_and_refusals(tmp_path):
    pools = "default = WaitPool(2,3);"
    with storage_server(tmp_path, zerovm_threadpools=pools) as server, ExitStack() as stack:
        assert server.run("copy", node(STDOUT)).status == 200
        body = body_of("loop", node(STDOUT, timeout=30))
        for _ in range(2):
            stack.enter_context(server.started("/a", len(body))).sendall(body)
        wait_for(lambda: server.sessions() == 2, "both slots are taken")
        short = node(STDOUT, timeout=1)
        queued = [threading.Thread(target=server.run, args=("loop", short), daemon=True) for _ in range(3)]
        for caller in queued:
            caller.start()
        wait_for(
            lambda: server.run("copy", node(STDOUT), X_Zerovm_Timeout="1").body.startswith(b"Slot not avail"),
            "the queue is full",
        )
        refused = server.run("copy", node(STDOUT))
        assert refused.status == 503
        assert refused.body.startswith(b"Slot not available: pool default has 2 sessions running and 3 waiting")
        assert refused.headers[wire.STATUS] == wire.NOT_RUN
        os.kill(server.service(), signal.SIGKILL)
        for caller in queued:  # those in the queue had not begun: they begin at the next service
            caller.join()


def test_a_wait_for_a_slot_has_an_end_and_a_hang_up_ends_it(tmp_path):
    pools = "default = WaitPool(1,1);"
    with storage_server(tmp_path, zerovm_threadpools=pools) as server:
        assert server.run("copy", node(STDOUT)).status == 200
        body = body_of("loop", node(STDOUT, timeout=30))
        with server.started("/a", len(body)) as connection:
            connection.sendall(body)
            wait_for(lambda: server.sessions() == 1, "the slot is taken")
            waited = server.run("copy", node(STDOUT), X_Zerovm_Timeout="1")
            assert (waited.status, waited.body) == (503, b"Slot not available: none came free within 1 seconds")
            with socket.create_connection(("127.0.0.1", server.object_port)) as waiting:
                head = "".join(f"{name}: {value}\r\n" for name, value in server.headers(Content_Length="9").items())
                waiting.sendall(f"POST /sda/0/a HTTP/1.1\r\n{head}\r\n".encode())
                wait_for(lambda: server.run("copy", node(STDOUT)).body.startswith(b"Slot not available: pool"), "it waits")
            wait_for(
                lambda: b"none came free" in server.run("copy", node(STDOUT), X_Zerovm_Timeout="1").body, "its place is free"
            )


def test_a_slow_upload_is_ended(tmp_path):
    with storage_server(tmp_path, client_timeout="1") as server:
        body = body_of("copy", node(STDOUT))
        with server.started("/a", len(body)) as connection:
            connection.sendall(body[:1000])
            answer = server.answer(connection)
        assert answer.status == 408
        assert answer.body.startswith(b"The request's body came too slowly")
        wait_for(lambda: not server.leftovers(), "nothing left")


def test_a_killed_storage_server_takes_its_sessions_along(tmp_path, stopped):
    with storage_server(tmp_path) as server:
        assert server.run("copy", node(STDOUT)).status == 200
        body = body_of("loop", LOOP)
        with server.started("/a", len(body)) as connection:
            connection.sendall(body)
            wait_for(lambda: server.sessions() == 1, "the session runs")
            server.process.kill()
            wait_for(lambda: server.sessions() == 0, "the session has ended", 1)
            wait_for(lambda: not server.executors(), "the service ends when nobody is left", 5)
        assert not list(server.device.glob("tmp*/*"))


def test_a_running_session_gives_signs_of_life_and_then_its_answer(tmp_path):
    with storage_server(tmp_path, zerovm_pulse="0.1") as server:
        body = body_of("loop", node(STDOUT, timeout=1))
        with server.started("/a", len(body)) as connection:
            connection.sendall(body)
            seen = b""
            while b" 200 OK" not in seen:
                seen += (piece := connection.recv(65536))
                assert piece
    signs, _, head = seen.rpartition(pulse.SIGN)
    assert signs.replace(pulse.SIGN, b"") == b""
    assert signs.count(pulse.SIGN) >= 3
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_executor_service_that_hangs_is_no_sign_of_life(tmp_path):
    with storage_server(tmp_path, zerovm_pulse="0.1") as server:
        body = body_of("loop", LOOP)
        with server.started("/a", len(body)) as connection:
            connection.sendall(body)
            assert connection.recv(65536).startswith(pulse.SIGN)
            service = server.service()
            os.kill(service, signal.SIGSTOP)
            try:
                wait_for(lambda: is_quiet(connection, 0.5), "no more signs")
            finally:
                os.kill(service, signal.SIGCONT)
            assert connection.recv(65536).startswith(pulse.SIGN)


def is_quiet(connection, seconds):
    """Whether nothing comes for so long; takes what has come."""
    if not select.select([connection], [], [], seconds)[0]:
        return True
    connection.recv(65536)
    return False


def test_a_running_session_holds_up_nobody(warm):
    warm.put("/a/c/small", b"x")
    body = body_of("loop", LOOP)
    with warm.started("/a", len(body)) as connection:
        connection.sendall(body)
        wait_for(lambda: warm.sessions() == 1, "the session runs")
        started = time.monotonic()
        for _ in range(10):
            assert warm.request("GET", "/a/c/small").status == 200
        assert time.monotonic() - started < 2
