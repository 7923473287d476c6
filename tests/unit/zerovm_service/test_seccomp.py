"""The filter, run by a small interpreter of classic BPF: each call gets the answer that the tables say."""

import errno
import struct

import pytest

from zerocloud.zerovm.service import seccomp

KILL, ALLOW = 0x80000000, 0x7FFF0000
REFUSE = 0x00050000


def run(code, number, architecture, arguments=(0,) * 6):
    """What the filter returns for this call."""
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *arguments)
    accumulator, position = 0, 0
    while True:
        operation, if_true, if_false, operand = struct.unpack_from("=HBBI", code, 8 * position)
        position += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x06:
            return operand
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}[operation]
            position += if_true if holds else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request, monkeypatch):
    monkeypatch.setattr(seccomp, "MACHINE", request.param)
    return seccomp._ARCHITECTURES[request.param]


def test_every_call_of_the_tables_is_answered_so(machine):
    architecture, column = machine
    code = seccomp.assemble()
    for table, answer in ((seccomp._ALLOWED, ALLOW), (seccomp._REFUSED, REFUSE | errno.EACCES)):
        for name, numbers in table.items():
            if numbers[column] is not None:
                assert run(code, numbers[column], architecture) == answer, name


def test_memory_can_not_be_made_executable(machine):
    architecture, column = machine
    code = seccomp.assemble()
    for numbers in seccomp._WITHOUT_EXECUTION.values():
        assert run(code, numbers[column], architecture, (0, 4096, 3, 0, 0, 0)) == ALLOW
        for protection in (4, 5, 7):
            assert run(code, numbers[column], architecture, (0, 4096, protection, 0, 0, 0)) == REFUSE | errno.EPERM


def test_all_else_kills(machine):
    architecture, column = machine
    code = seccomp.assemble()
    known = {
        numbers[column]
        for table in (seccomp._ALLOWED, seccomp._REFUSED, seccomp._WITHOUT_EXECUTION)
        for numbers in table.values()
    }
    for number in set(range(600)) - known:
        assert run(code, number, architecture) == KILL, number
    assert run(code, 0, 0x40000003) == KILL  # another architecture
    assert run(code, 0x40000000, architecture) == KILL  # the x32 numbers
    assert run(code, -1, architecture) == KILL


def test_the_program_is_small_enough_for_the_kernel(machine):
    assert len(seccomp.assemble()) // 8 < 4096


def test_no_number_stands_twice():
    tables = (seccomp._ALLOWED, seccomp._REFUSED, seccomp._WITHOUT_EXECUTION)
    for column in (0, 1):
        numbers = [entry[column] for table in tables for entry in table.values() if entry[column] is not None]
        assert len(numbers) == len(set(numbers))


def test_an_unknown_machine_has_no_filter(monkeypatch):
    monkeypatch.setattr(seccomp, "MACHINE", "vax")
    assert seccomp.assemble() is None
    assert seccomp.Filter.make() is None
