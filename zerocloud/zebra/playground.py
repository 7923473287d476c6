"""A Zebra for programs: tests, demonstrations, notebooks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import TracebackType

from zerocloud.zebra import settings, state, stop, sysimages
from zerocloud.zebra.errors import NotRunning, ZebraError
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.probe import Login, log_in
from zerocloud.zebra.settings import USERS, Wish, user_called
from zerocloud.zebra.start import Started, start

# A killed process is gone when the kernel has taken its memory back.
KILL_SECONDS = 10.0


class Zebra:
    """A whole ZeroCloud in ``directory``, running inside a ``with`` block.

        with Zebra(tmp_path / "zebra", nodes=4) as zebra:
            requests.get(zebra.url, headers={"X-Auth-Token": zebra.token})

    It ends with this process, even if this is killed. The directory and its data stay: another Zebra on it finds them again.
    ``together`` puts all servers into one process: it starts faster, takes a fifth of the memory, and is good for tests of what
    goes through HTTP; but then no node can be killed alone. Without ``filters`` it is a plain Swift. ``overrides`` maps
    ``server/section/option`` (``object/object_query/zerovm_timeout``) to a value, and is kept in the directory. ``destroy``
    has :meth:`down` remove the directory with all data. ``images`` are names of system images, such as ``python``.
    ``proxy_workers`` processes answer at the proxy's port. ``auth="keystone"`` has a Keystone know the users.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        nodes: int | None = None,
        *,
        port: int | None = None,
        ec: bool | None = None,
        policy: str | None = None,
        encrypt: bool | None = None,
        auth: str | None = None,
        together: bool = False,
        filters: bool = True,
        destroy: bool = False,
        images: Iterable[str] = (),
        overrides: Mapping[str, str] | None = None,
        proxy_workers: int = 1,
    ) -> None:
        self.layout = Layout.at(directory)
        self._wish = Wish(nodes, port, ec, policy, encrypt, auth, together, filters, dict(overrides or {}), proxy_workers)
        self._images = tuple(images)
        self._destroy = destroy
        self._started: Started | None = None
        self._logins: dict[str, Login] = {}

    def up(self) -> None:
        """Start it; returns when a PUT and a GET through the proxy succeed. Raises ZebraError."""
        if self._started is not None:
            raise ZebraError(f"{self.layout.directory}: up() was called twice")
        prepared = sysimages.prepare(self._images, lambda text, seconds: None)
        self._started = start(self.layout, replace(self._wish, overrides={**prepared, **self._wish.overrides}))

    def down(self) -> None:
        """End it, if :meth:`up` has started it; nothing of it runs when this returns."""
        started, self._started = self._started, None
        self._logins.clear()
        if started is not None:
            started.stop()
            (stop.destroy if self._destroy else stop.stop)(self.layout)

    def __enter__(self) -> Zebra:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.down()

    @property
    def proxy_url(self) -> str:
        """``http://address:port`` of the proxy. Raises NotRunning."""
        if self._started is None:
            raise self._asleep()
        return self._started.url

    @property
    def token(self) -> str:
        """A token of ``test:tester``."""
        return self.login().token

    @property
    def url(self) -> str:
        """The URL of the account ``test``: where jobs are POSTed and containers live. Raises NotRunning."""
        return self.login().storage_url

    def login(self, user: str = USERS[0].login) -> Login:
        """Storage URL and token of any of the Zebra's users. Raises SettingsError for an unknown one, NotRunning."""
        if user not in self._logins:
            if self._started is None:
                raise self._asleep()
            self._logins[user] = log_in(settings.load(self.layout), user_called(user))
        return self._logins[user]

    def _asleep(self) -> NotRunning:
        return NotRunning(f"{self.layout.directory}: this Zebra does not run")

    def state(self) -> state.State:
        """Its processes. Raises NotRunning."""
        return state.running(self.layout)

    def kill_node(self, number: int) -> None:
        """SIGKILL to the storage node ``number``, counted from 1. It stays dead until the next :meth:`up`."""
        process = self.state().member(f"node{number}").process
        process.signal(signal.SIGKILL)
        if not process.wait(KILL_SECONDS):
            raise ZebraError(f"node{number} (process {process.pid}) survives SIGKILL for {KILL_SECONDS} seconds")

    def log_text(self, name: str = "*") -> str:
        """What is in the log of ``proxy``, ``node1``, …, or in all logs."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.layout.log.glob(f"{name}.log")))
