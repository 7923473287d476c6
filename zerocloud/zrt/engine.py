"""The engine, and a guest in it. The only module that touches wasmtime's private interface.

Functions are offered to the guest as *unchecked* callbacks: wasmtime hands over the raw argument slots, about ten times faster
than its checked ones. What that asks for is kept together here:

- The callbacks live as long as the store: :class:`Guest` owns both.
- A type belongs to the first engine that sees it: :class:`Program` makes a set of them for each module and engine.
- Nothing is raised into native code: a failure is kept, the guest is trapped, and the failure raised again outside.
- No signal handler of this process may raise while a guest runs, for the same reason.
- A view of guest memory is dead once its guest is closed: none is handed out, but to channels for one call.
- No thread is started, so the process may fork at any time, in the middle of a guest too.
- The guest's stack is this thread's: the main thread's can grow as far as the engine is told, another's can't.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from struct import Struct
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi

from .abi import FROM_HOST, Errno, WasiError
from .assembly import Assembly
from .calls import GuestExit
from .debug import CALLS
from .errors import GuestRefused, OutOfMemory, WorldError
from .memory import Memory
from .program import ALLOCATOR, FORK, TOOLS, GuestEngine, Import, Program
from .stack import reserve_stack
from .tools import Tools
from .traps import ended
from .world import World

TESTED_WITH = "49"
MAX_TABLE_ELEMENTS = 1 << 19
MAX_TABLES = 4


def _private(owner: object, name: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        from importlib.metadata import version  # not above: it brings modules that would slow every fork down

        raise ImportError(
            f"wasmtime {version('wasmtime')} has no {name}, which guests are run with; tested with wasmtime {TESTED_WITH}"
        ) from None


_dll = _private(ffi, "dll")
# The quick functions are called without releasing the interpreter's lock: they only look something up.
_quick = ctypes.PyDLL("", handle=_private(_dll, "_handle"))
_memory_data = _private(_quick, "wasmtime_memory_data")
_memory_size = _private(_quick, "wasmtime_memory_data_size")
_trap_new = _private(_quick, "wasmtime_trap_new")
_define = _private(_quick, "wasmtime_linker_define_func_unchecked")
_export_get = _private(_quick, "wasmtime_caller_export_get")
_extern_type = _private(ffi, "wasmtime_extern_t")
_error_pointer = ctypes.POINTER(_private(ffi, "wasmtime_error_t"))
_async_stack = _private(ffi, "wasmtime_config_async_stack_size_set")
_memory_kind = _private(ffi, "WASMTIME_EXTERN_MEMORY").value
for _owner, _name in (
    (wasmtime.Store, "_context"),
    (wasmtime.WasmtimeError, "_from_ptr"),
    (wasmtime.Memory, "_from_raw"),
    (wasmtime.Linker, "ptr"),
    (wasmtime.FuncType, "ptr"),
):
    _private(_owner, _name)

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_memory_data.restype = _memory_size.restype = ctypes.c_size_t
_memory_data.argtypes = _memory_size.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_trap_new.restype, _trap_new.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_size_t]
_define.restype = ctypes.c_void_p
_define.argtypes = [
    *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t),
    *(ctypes.c_void_p, _CALLBACK, ctypes.c_void_p, ctypes.c_void_p),
]
_export_get.restype = ctypes.c_bool
_export_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
# The whole address space as one view, only ever used where wasmtime says: at argument slots, and for a guest's memory.
_SPACE = memoryview((ctypes.c_ubyte * (1 << 47)).from_address(0)).cast("B")
_RESULT = Struct("<I")


def make_engine(fuel: bool = False, parallel: bool = False) -> GuestEngine:
    """The engine that all guests run in: compiled modules fit only one with the same settings.

    ``fuel`` counts instructions. ``parallel`` compiles with several threads, which stay: not for a process that forks.
    """
    stack = reserve_stack()
    config = wasmtime.Config()
    _async_stack(config.ptr(), stack)  # of no use here, but it must not be less
    config.max_wasm_stack = stack
    config.memory_may_move = False
    config.consume_fuel = fuel
    config.parallel_compilation = parallel
    config.wasm_memory64 = False
    config.wasm_gc = False
    config.wasm_function_references = False
    config.wasm_relaxed_simd_deterministic = True
    return GuestEngine(config)


class _Unbound(Exception):
    """The guest called from its start function, before its memory was known."""


class _GuestMemory(Memory):
    """The exported memory of an instance. Its address never changes: the engine is made so."""

    __slots__ = ("_base", "_context", "_memory")

    def __init__(self) -> None:
        super().__init__()
        self._base = 0
        self._context: int | None = None
        self._memory: Any = None

    def bind(self, context: int, memory: Any) -> None:
        self._context, self._memory = context, memory
        self.refresh()

    def refresh(self) -> None:
        if self._context is None:
            raise _Unbound
        where = ctypes.addressof(self._memory)
        base, size = _memory_data(self._context, where), _memory_size(self._context, where)
        assert self._base in (0, base), "the guest's memory has moved"
        if size != self.size:
            self._base, self.size = base, size
            self.view = _SPACE[base : base + size]

    def bytes(self) -> int:
        """Its size now."""
        return 0 if self._context is None else int(_memory_size(self._context, ctypes.addressof(self._memory)))

    def unbind(self) -> None:
        self._context, self.view, self.size = None, memoryview(b""), 0


class Guest:
    """One program in its world, instantiated and ready to run.

    Raises GuestRefused for a module that does not fit, OutOfMemory, WorldError, and, should the module's start function fail,
    what :meth:`run` raises. Close it, or use it as a context manager; afterwards nothing of it may be called.
    """

    def __init__(self, engine: wasmtime.Engine, program: Program | wasmtime.Module, world: World) -> None:
        self.world = world
        self.program = program if isinstance(program, Program) else Program(engine, program)
        if self.program.engine is not engine:  # wasmtime would abort the process
            raise GuestRefused("the program was made ready for another engine")
        self._assembly = Assembly(world)
        self.wasi = self._assembly.wasi
        self.memory = self.wasi.memory = _GuestMemory()
        self._failure: BaseException | None = None
        self._exit_code: int | None = None
        self._keep: list[Any] = []
        self._store, self._linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        self._context = ctypes.addressof(self._store._context().contents)
        self._set_fuel(world.fuel)
        self.wasi.tree.budget.attach(self.memory.bytes, self._limit_memory)
        for item in self.program.imports:
            self._offer(item)
        self._instance = self._instantiate()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def run(self) -> int:
        """Run it to its end; its exit code, 0 if it just returns.

        Runs ``_start``; a module without it, but with ``run``, is initialized and its ``run`` gives the code. Raises the errors
        of :mod:`zerocloud.zrt.errors`, and whatever a channel raised that was no OSError.
        """
        exports = self.program.exports if self._instance is None else self._instance.exports(self._store)
        if "_start" in exports:
            code = self.call("_start")
        elif "run" in exports:
            if "_initialize" in exports:
                self.call("_initialize")
            code = self.call("run")
        else:
            raise GuestRefused("the program exports neither _start nor run")
        self._assembly.export()
        return code

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function; its result, 0 where it has none, and its exit code where it exits."""
        if self._exit_code is None:
            assert self._instance is not None
            function = self._instance.exports(self._store).get(name)
            if not isinstance(function, wasmtime.Func):
                raise GuestRefused(f"the program exports no function {name}")
            try:
                result = self._within(lambda: function(self._store, *arguments))
            except GuestExit as ending:
                self._exit_code = ending.code
            else:
                return result if isinstance(result, int) else 0
        return self._exit_code

    def rebind(self, world: World) -> None:
        """After a fork, in the child: show another world's channels, arguments and environment, removable images afresh.

        Clock and seed stay as they were, the memory limit may become lower; instructions are counted anew. Raises WorldError
        where a channel's alias is missing, where more memory is in use, or where instructions are to be counted and this engine
        does not; ImageError and OutOfMemory for images that were not there before.
        """
        self._set_fuel(world.fuel)
        self._assembly.rebind(world)
        self.world = world

    @property
    def notes(self) -> tuple[str, ...]:
        """What images held that could not be shown, a line each."""
        return tuple(self._assembly.notes)

    @property
    def memory_used(self) -> int:
        """Bytes of the session's memory limit in use: linear memory and files."""
        return self.memory.bytes() + self.wasi.tree.budget.used

    @property
    def fuel_used(self) -> int:
        """Instructions executed, where they are counted; 0 elsewhere."""
        return 0 if self._fuel is None else self._fuel - self._store.get_fuel()

    def close(self) -> None:
        """Free its memory and everything else of it."""
        self.memory.unbind()
        self._instance = None
        self._linker.close()
        self._store.close()
        self._keep.clear()

    # ---------------------------------------------------------------------------------------------------------- beginning

    def _set_fuel(self, fuel: int | None) -> None:
        self._fuel: int | None = None
        try:
            self._store.set_fuel((1 << 64) - 1 if fuel is None else fuel)
        except wasmtime.WasmtimeError:
            if fuel is not None:
                raise WorldError(f"Fuel={fuel}: this engine does not count instructions") from None
        else:
            self._fuel = fuel

    def _limit_memory(self, limit: int) -> None:
        # May be called in the midst of a call of the guest: the limits are only read when a memory or table grows.
        self._store.set_limits(limit, MAX_TABLE_ELEMENTS, 1, MAX_TABLES, 1)

    def _instantiate(self) -> wasmtime.Instance | None:
        try:
            instance: wasmtime.Instance = self._within(lambda: self._linker.instantiate(self._store, self.program.module))
        except GuestExit as ending:
            self._exit_code = ending.code
            return None
        except GuestRefused:
            minimum, left = self.program.memory_bytes, self.wasi.tree.budget.left_to_guest
            if minimum <= left:
                raise
            raise OutOfMemory(
                f"the program starts with {minimum} bytes of memory, the session's limit leaves it {left}"
            ) from None
        memory = instance.exports(self._store).get("memory")
        if isinstance(memory, wasmtime.Memory):
            self.memory.bind(self._context, memory._memory)
        return instance

    # -------------------------------------------------------------------------------------------------------------- calls

    def _offer(self, item: Import) -> None:
        """Define one import."""
        keep = _CALLBACK(self._callback(item))
        self._keep.append(keep)
        module, name = item.module.encode(), item.name.encode()
        linker, kind = ctypes.cast(self._linker.ptr(), ctypes.c_void_p), ctypes.cast(item.type.ptr(), ctypes.c_void_p)
        error = _define(linker, module, len(module), name, len(name), kind, keep, None, None)
        if error:
            raise wasmtime.WasmtimeError._from_ptr(ctypes.cast(error, _error_pointer))

    def _function(self, item: Import) -> Callable[..., int | None]:
        if (item.module, item.name) == FORK:
            return lambda: self._fork() & 0xFFFFFFFF
        if (item.module, item.name) == TOOLS:
            return Tools(self.wasi, self._fork, self._allocate).call
        function: Callable[..., int | None] = getattr(self.wasi, item.name)
        return function

    def _fork(self) -> int:
        return self.world.fork() if self.world.fork else -1

    def _allocate(self, size: int) -> int:
        """Room in the guest's memory, made by its own ``host_alloc``; 0 for none."""
        function = self._instance.exports(self._store).get(ALLOCATOR) if self._instance else None
        if not isinstance(function, wasmtime.Func):
            return 0
        address = self._within(lambda: function(self._store, size))
        return address & 0xFFFFFFFF if isinstance(address, int) else 0

    def _callback(self, item: Import) -> Callable[[Any, Any, int, int], int | None]:
        """The function as wasmtime calls it."""
        function, unpack, answers = self._function(item), item.unpack, item.answers
        if self.world.trace or self._assembly.debug.verbosity >= CALLS:
            function = self._traced(item.name, function)
        pack, space, fail, bind = _RESULT.pack_into, _SPACE, self._fail, self._bind_early

        def callback(environment: Any, caller: Any, slots: int, count: int) -> int | None:
            try:
                result = function(*unpack(space, slots))
                if answers:
                    pack(space, slots, result or 0)
            except WasiError as error:
                pack(space, slots, error.errno)
            except OSError as error:
                if error.errno is None:  # raised by hand, as TimeoutError may be: no answer for a guest
                    return fail(error)
                pack(space, slots, FROM_HOST.get(error.errno, Errno.IO))
            except MemoryError:
                pack(space, slots, Errno.NOMEM)
            except _Unbound:
                return callback(environment, caller, slots, count) if bind(caller) else fail(_NO_MEMORY)
            except BaseException as error:  # noqa: BLE001 - nothing may pass into native code
                return fail(error)
            return None

        return callback

    def _traced(self, name: str, function: Callable[..., int | None]) -> Callable[..., int | None]:
        """The function, told of afterwards: to the session, to the guest's debug channel."""

        def traced(*arguments: int) -> int | None:
            start, errno = time.perf_counter_ns(), None
            try:
                result = function(*arguments)
                errno = result or 0
            except WasiError as error:
                errno = error.errno
                raise
            except OSError as error:
                errno = FROM_HOST.get(error.errno or 0, Errno.IO)
                raise
            finally:
                duration = time.perf_counter_ns() - start
                self._assembly.debug.call(name, arguments, errno, duration)
                if self.world.trace:
                    self.world.trace(name, arguments, errno, duration)
            return result

        return traced

    def _bind_early(self, caller: int) -> bool:
        """Find the memory of a guest that is still in its start function."""
        item = _extern_type()
        found = _export_get(caller, b"memory", 6, ctypes.byref(item)) and item.kind == _memory_kind
        if found:
            self.memory.bind(self._context, wasmtime.Memory._from_raw(item.of.memory)._memory)
        return bool(found)

    def _fail(self, error: BaseException) -> int:
        """Keep what happened, and stop the guest."""
        self._failure = error
        return int(_trap_new(b"host", 4))

    # ------------------------------------------------------------------------------------------------------------- ending

    def _within(self, action: Callable[[], Any]) -> Any:
        """Run guest code. Raises in our words what it ended by, GuestExit among it, if not by returning."""
        try:
            return action()
        except (wasmtime.Trap, wasmtime.WasmtimeError) as trap:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure from None
            raise ended(trap) from None


_NO_MEMORY = GuestRefused("the program called a function that needs its memory, and exports none")
