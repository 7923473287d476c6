"""The engine, and a guest in it."""

from __future__ import annotations

import wasmtime

from .world import World


def make_engine(fuel: bool = False, parallel: bool = False) -> wasmtime.Engine:
    """An engine with this project's settings."""
    config = wasmtime.Config()
    config.memory_may_move = False
    config.consume_fuel = fuel
    config.parallel_compilation = parallel
    return wasmtime.Engine(config)


class Guest:
    """One program in its world."""

    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module, world: World) -> None:
        self.world = world

    def run(self) -> int:
        """Run it to its end; its exit code. Raises the errors of :mod:`zerocloud.zrt.errors`."""
        raise NotImplementedError

    def rebind(self, world: World) -> None:
        """After a fork: give it another world's channels, arguments and environment."""
        raise NotImplementedError

    def close(self) -> None:
        """Free it."""
