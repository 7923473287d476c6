"""Registers as Swift has them, in a world whose every step is chosen by the test: replicas, majorities, failures, clocks.

A contender runs in a greenlet and stops before each thing it does to a replica. Whoever is let go next, which replicas an
operation reaches, and what the clocks say, is drawn from ``choose``; so a sequence of choices is a whole history, and can
be played again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import greenlet

Choose = Callable[[int], int]
COPIES = 3
MAJORITY = 2


@dataclass
class World:
    """The replicas. ``choose(n)`` gives a number below n."""

    choose: Choose
    contents: list[dict[str, tuple[int, str]]] = field(default_factory=lambda: [{} for _ in range(COPIES)])
    clock: int = 0

    def step(self) -> None:
        """Let the scheduler decide who goes on."""
        parent = greenlet.getcurrent().parent
        assert parent is not None
        parent.switch()

    def stamp(self) -> int:
        """A time of some proxy: clocks differ by more than what an operation takes, but no two agree."""
        self.clock += 10
        return self.clock + self.choose(3) * 15 + self.choose(7)

    def reached(self) -> list[int]:
        """The replicas that an operation reaches, in some order: one may be out of reach."""
        order = list(range(COPIES))
        for index in range(COPIES - 1):
            other = index + self.choose(COPIES - index)
            order[index], order[other] = order[other], order[index]
        return order[: MAJORITY + self.choose(2)]


class Replicated:
    """One contender's view of the registers: what ``store.Store`` does, and Swift's proxy and object servers behind it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write_register(self, name: str, value: str, lifetime: int) -> bool:
        return self._put(name, value, self._world.reached(), self._world.stamp())

    def close_register(self, name: str, lifetime: int) -> bool:
        world, reached, stamp = self._world, self._world.reached(), self._world.stamp()
        for replica in reached:  # all of them look, before one of them writes
            world.step()
            if name in world.contents[replica]:
                return False
        return self._put(name, "closed", reached, stamp)

    def read_register(self, name: str) -> str | None:
        found = []
        for replica in self._world.reached():
            self._world.step()
            if name in self._world.contents[replica]:
                found.append(self._world.contents[replica][name])
        return max(found)[1] if found else None

    def delete_register(self, name: str) -> None:
        raise AssertionError("contenders delete nothing")

    def _put(self, name: str, value: str, reached: Sequence[int], stamp: int) -> bool:
        newest = True
        for replica in reached:
            self._world.step()
            if self._world.contents[replica].get(name, (0, ""))[0] >= stamp:
                newest = False
            else:
                self._world.contents[replica][name] = (stamp, value)
        return newest


def play(contend: Callable[[Replicated], bool], contenders: int, choose: Choose) -> int:
    """Let so many contend, one step at a time; how many of them win."""
    world, wins = World(choose), []
    waiting = [greenlet.greenlet(lambda: wins.append(contend(Replicated(world)))) for _ in range(contenders)]
    while waiting:
        index = choose(len(waiting))
        waiting[index].switch()
        if waiting[index].dead:
            waiting.pop(index)
    return sum(wins)
