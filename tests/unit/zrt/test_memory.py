import struct
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as some

from zerocloud.zrt.abi import WasiError
from zerocloud.zrt.budget import PAGE, SLACK, Budget
from zerocloud.zrt.memory import MAX_TRANSFER, Memory

from .fakes import refused

u32 = some.integers(0, (1 << 32) - 1) | some.integers(0, 300)


@given(u32, u32)
def test_a_span_lies_inside_or_is_refused(address, size):
    memory = Memory(memoryview(bytearray(256)))
    if address + size <= 256:
        assert len(memory.span(address, size)) == size
    else:
        with refused("FAULT"):
            memory.span(address, size)


@given(some.lists(some.tuples(u32, u32), max_size=20), some.integers(0, 200))
def test_buffers_lie_inside_or_are_refused(vectors, at):
    memory = Memory(memoryview(bytearray(256)))
    table = b"".join(struct.pack("<II", *vector) for vector in vectors)
    memory.view[at : at + len(table)] = table[: 256 - at]
    inside = at + len(table) <= 256 and all(sum(vector) <= 256 for vector in vectors)
    with nullcontext() if inside else refused("FAULT"):
        views = memory.buffers(at, len(vectors))
        assert [len(view) for view in views] == [size for _, size in vectors if size]


def test_a_call_moves_no_more_than_two_gigabytes():
    class Huge(Memory):
        def span(self, address, size):
            return range(size) if size > 100 else super().span(address, size)

    memory = Huge(memoryview(bytearray(256)))
    memory.view[:32] = struct.pack("<8I", *(100, 0x70000000) * 4)
    views = memory.buffers(0, 4)
    assert [len(view) for view in views] == [0x70000000, MAX_TRANSFER - 0x70000000]


def test_memory_that_has_grown_is_seen():
    class Growing(Memory):
        def refresh(self):
            self.view = memoryview(bytearray(512))
            self.size = 512

    memory = Growing(memoryview(bytearray(256)))
    memory.put_u32(508, 7)
    memory.put_u64(300, 7)
    with refused("FAULT"):
        memory.put_u32(509, 7)
    with refused("FAULT"):
        memory.check(1 << 31, 1 << 31)


# ------------------------------------------------------------------------------------------------------------- budget


class Wasm:
    """A guest's own memory under a limit."""

    def __init__(self, budget):
        self.size, self.limit = 0, 0
        budget.attach(lambda: self.size, self.told)

    def told(self, limit):
        self.limit = limit

    def grow(self, size):
        if self.size + size > self.limit:
            return False
        self.size += size
        return True


def test_files_and_memory_share_one_limit():
    budget = Budget(10 * PAGE)
    wasm = Wasm(budget)
    assert wasm.limit == 10 * PAGE
    budget.take(3 * PAGE + 1)
    assert wasm.limit == 6 * PAGE
    assert wasm.grow(6 * PAGE)
    assert not wasm.grow(1)
    budget.take(PAGE - 1)
    with refused("NOSPC"):
        budget.take(1)
    assert budget.used == 4 * PAGE


@given(some.lists(some.tuples(some.booleans(), some.integers(0, 3 * SLACK)), max_size=40))
def test_both_together_never_pass_the_limit(steps):
    budget = Budget(8 * SLACK)
    wasm, mine = Wasm(budget), 0
    for take, size in steps:
        if not take:
            if size % 2:
                wasm.grow(size)
            else:
                budget.give(min(size, mine))
                mine -= min(size, mine)
        else:
            try:
                budget.take(size)
                mine += size
            except WasiError:
                pass
        assert budget.used == mine
        assert mine + wasm.size <= budget.limit
        assert wasm.size <= wasm.limit


def test_what_is_given_back_can_be_used_by_the_guest():
    budget = Budget(4 * SLACK)
    wasm = Wasm(budget)
    budget.take(4 * SLACK)
    assert not wasm.grow(1)
    budget.give(4 * SLACK)
    assert wasm.grow(4 * SLACK)
    with pytest.raises(WasiError):
        budget.take(1)
