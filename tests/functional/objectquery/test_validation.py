"""A program that is only validated: compiled into the cache, nothing run, nothing left."""

import pytest

from tests.guests import compiled
from zerocloud import wire

from .conftest import STDOUT, node, tar_stream


def validate(server, program, path="/a/c/o", **headers):
    return server.post(path, [("boot", program)], **{"X_Zerovm_Execute": wire.VALIDATE, **headers})


def test_a_program_is_compiled_and_the_first_session_finds_it_so(server):
    program = compiled("exit-3") + b"\0\x05\x04mine"  # a custom section: a module that nobody has compiled yet
    answer = validate(server, program)
    assert (answer.status, answer.headers[wire.VALIDATION], answer.headers[wire.ERROR]) == (200, "0", None)
    ran = server.post("/a", [("sysmap", node(STDOUT).to_json()), ("boot", program)])
    assert (ran.headers[wire.RETCODE], ran.headers[wire.VALIDATION]) == ("3", "2")


@pytest.mark.parametrize("program", [b"\0asm no", b"", b"#!/bin/sh"])
def test_what_is_no_program_is_told(server, program):
    answer = validate(server, program)
    assert (answer.status, answer.headers[wire.VALIDATION]) == (200, "1")
    assert "module" in answer.headers[wire.ERROR] or "empty" in answer.headers[wire.ERROR]


def test_without_a_program_there_is_nothing_to_validate(server):
    assert server.post("/a", [("stdin", b"x")], X_Zerovm_Execute=wire.VALIDATE).status == 400


def test_it_takes_a_slot_like_a_session(server):
    assert validate(server, compiled("copy"), X_Zerovm_Pool="none").status == 400


def test_a_client_that_leaves_in_between_leaves_nothing(server):
    body = tar_stream([("boot", compiled("copy"))])
    with server.started("/a/c/o", len(body), X_Zerovm_Execute=wire.VALIDATE) as connection:
        connection.sendall(body[:700])
