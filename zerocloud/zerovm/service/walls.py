"""The second wall: what stands around the service, and around each session in it, beside WebAssembly's own.

The service walls itself in once: no network, an empty root directory, an unprivileged user without capabilities, no new
privileges, and Landlock that leaves it the cache's directory only. Each session adds: all other descriptors closed, death with
the service (:mod:`process`), limits (:mod:`child`), a Landlock layer that leaves it its own compiled module only and no signals
to others, and, before the guest runs, seccomp. Where a kernel refuses a wall the others stand; the log says so, and
``--require-walls`` makes it a reason not to start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerocloud.zerovm.service import confinement, landlock
from zerocloud.zerovm.service.kernel import PR_SET_NO_NEW_PRIVS, prctl
from zerocloud.zerovm.service.seccomp import Filter

NETWORK = "no network"
ROOT = "empty root directory"
USER = "unprivileged user"
CAPABILITIES = "no capabilities"
PRIVILEGES = "no new privileges"
FILES = "files closed (Landlock)"
TCP = "TCP closed (Landlock)"
SIGNALS = "no signals to others (Landlock)"
CALLS = "system calls filtered (seccomp)"


@dataclass(frozen=True)
class Standing:
    """Whether a wall stands, and if not, why."""

    wall: str
    stands: bool
    why_not: str = ""


@dataclass(frozen=True)
class Enclosure:
    """What stands around the service; ``user_namespace``: it no longer sees the numbers of users other than its own."""

    walls: list[Standing]
    user_namespace: bool


class Walls:
    """Made before any wall goes up; what is costly is prepared once for all sessions."""

    def __init__(self) -> None:
        self._landlock = landlock.abi()
        self._filter = Filter.make()
        self._freezable_filter = Filter.make(freezable=True)

    def around_service(self, user: int | None, cache: int) -> Enclosure:
        """Wall this process in, as ``user`` if it is root; which walls stand then. ``cache`` is the cache's directory."""
        standing = _Ledger()
        privileged = user is not None
        standing.add(NETWORK, lambda: confinement.leave_namespaces(new_user=False), unless=not privileged)
        standing.add(ROOT, confinement.enter_empty_root, unless=not privileged)
        if user is not None:
            standing.add(USER, lambda: confinement.become(user))
        else:
            standing.add(USER, lambda: None)
        user_namespace = not standing.stands(NETWORK)
        if user_namespace:
            standing.add(NETWORK, lambda: confinement.leave_namespaces(new_user=True))
        if not standing.stands(ROOT):
            standing.add(ROOT, confinement.enter_empty_root)
        standing.add(CAPABILITIES, confinement.drop_capabilities)
        standing.add(PRIVILEGES, lambda: prctl(PR_SET_NO_NEW_PRIVS, 1))
        self._landlock_standing(standing, {cache: landlock.CACHE_RIGHTS})
        missing = "" if self._filter else "no table of system calls for this machine"
        standing.note(CALLS, missing)
        return Enclosure(standing.walls, user_namespace and standing.stands(NETWORK))

    def _landlock_standing(self, standing: _Ledger, allowed: dict[int, int]) -> None:
        for wall, version in ((FILES, 1), (TCP, 4), (SIGNALS, 6)):
            standing.note(wall, "" if self._landlock >= version else f"this kernel has version {self._landlock} of {version}")
        if self._landlock:
            standing.add(FILES, lambda: landlock.restrict(allowed, self._landlock))

    def around_compiler(self) -> None:
        """In a child that compiles: nothing can be opened. Raises OSError."""
        if self._landlock:
            landlock.restrict({}, self._landlock)

    def around_session(self, module: int) -> None:
        """In a session's process: nothing can be opened but the file ``module``. Raises OSError."""
        if self._landlock:
            landlock.restrict({module: landlock.READ_FILE}, self._landlock)

    def seal(self, freezable: bool = False) -> None:
        """In a session's process, when all is open and loaded: only the calls that running a guest takes. Raises OSError.

        ``freezable``: those too that it takes to freeze it and to thaw others; these are sealed again.
        """
        chosen = self._freezable_filter if freezable else self._filter
        if chosen is not None:
            chosen.load()


class _Ledger:
    """The walls tried so far; the last word on each counts."""

    def __init__(self) -> None:
        self._walls: dict[str, Standing] = {}

    @property
    def walls(self) -> list[Standing]:
        return list(self._walls.values())

    def stands(self, wall: str) -> bool:
        return self._walls[wall].stands

    def note(self, wall: str, why_not: str) -> None:
        self._walls[wall] = Standing(wall, not why_not, why_not)

    def add(self, wall: str, build: Callable[[], None], unless: bool = False) -> None:
        try:
            if not unless:
                build()
            self.note(wall, "not tried" if unless else "")
        except OSError as error:
            self.note(wall, str(error))
