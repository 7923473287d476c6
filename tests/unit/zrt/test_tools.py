"""``host.call``: requests and answers in the guest's memory, with addresses that lie anywhere."""

import json

import pytest

from zerocloud.zrt.memory import Memory
from zerocloud.zrt.tools import ANSWERED, FAULT, UNKNOWN, Tools

SIZE = 4096
ANSWER_AT = 1024


class Calls:
    """What of a guest's system calls is asked for."""

    def __init__(self):
        self.space = bytearray(SIZE)
        self.memory = Memory(memoryview(self.space))
        self.args = (b"python", b"\xff x")
        self.env = (b"A=1", b"B=x=y")


@pytest.fixture
def calls():
    return Calls()


def ask(calls, request=b"zerovm.fork", at=0, outs=(100, 104), fork=lambda: 0, allocate=lambda size: ANSWER_AT):
    if at + len(request) <= SIZE:
        calls.space[at : at + len(request)] = request
    return Tools(calls, fork, allocate).call(at, len(request), *outs)


def test_the_answer_tells_what_fork_says_and_what_holds_from_then_on(calls):
    assert ask(calls, fork=lambda: 1) == ANSWERED
    address, size = (int.from_bytes(calls.space[out : out + 4], "little") for out in (100, 104))
    assert address == ANSWER_AT
    text = json.loads(bytes(calls.space[address : address + size]))
    assert text == {"answer": 1, "args": ["python", "\udcff x"], "env": {"A": "1", "B": "x=y"}}


def test_arguments_are_those_after_the_fork(calls):
    def fork():
        calls.args = (b"other",)
        return 0

    ask(calls, fork=fork)
    assert b'"other"' in calls.space


@pytest.mark.parametrize("request_", [b"", b"zerovm.fork ", b"zerovm.forl", b"x" * 3000])
def test_other_requests_are_unknown_and_fork_nothing(calls, request_):
    assert ask(calls, request_, fork=lambda: pytest.fail("forked")) == UNKNOWN


@pytest.mark.parametrize("wrong", [{"at": SIZE - 5}, {"outs": (SIZE - 3, 0)}, {"outs": (0, 0xFFFFFFFF)}, {"at": 0xFFFFFFF0}])
def test_addresses_outside_are_a_fault_before_anything_happens(calls, wrong):
    assert ask(calls, fork=lambda: pytest.fail("forked"), **wrong) == FAULT


@pytest.mark.parametrize("address", [0, SIZE - 10, 0xFFFFFFFF])
def test_an_answer_that_fits_nowhere_is_a_fault(calls, address):
    assert ask(calls, allocate=lambda size: address) == FAULT
