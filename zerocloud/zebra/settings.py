"""What a Zebra is: kept in ``DIR/zebra.json`` from the first ``up`` on, so that every later one finds the same cluster."""

from __future__ import annotations

import base64
import dataclasses
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import simplejson

from zerocloud.zebra.errors import DirectoryError, SettingsError
from zerocloud.zebra.layout import FRESH_MARK, Layout

FORMAT = 1
DEFAULT_NODES = 4
MOST_NODES = 64
REPLICAS = 3
EC_DEVICES = 3
PROXY_ADDRESS = "127.0.0.1"
MOST_PROXY_WORKERS = 16
KINDS = ("account", "container", "object")
POLICIES = ("replication", "ec")
TEMPAUTH, KEYSTONE = AUTHS = ("tempauth", "keystone")


@dataclass(frozen=True)
class User:
    """A user, ``account:name`` with ``key``; in Keystone ``account`` is a project, and ``key`` the password."""

    account: str
    name: str
    key: str
    groups: tuple[str, ...] = ()

    @property
    def login(self) -> str:
        """What goes into TempAuth's X-Auth-User."""
        return f"{self.account}:{self.name}"


USERS = (
    User("test", "tester", "testing", (".admin",)),
    User("test", "tester3", "testing3"),
    User("test2", "tester2", "testing2", (".admin",)),
    User("admin", "admin", "admin", (".admin", ".reseller_admin")),
)
ADMINISTRATOR = USERS[-1]


def user_called(login: str) -> User:
    """The user with this login. Raises SettingsError."""
    for user in USERS:
        if user.login == login:
            return user
    raise SettingsError(f"{login}: no such user; there are {', '.join(user.login for user in USERS)}")


@dataclass(frozen=True)
class Wish:
    """What the caller of ``up`` asked for; None leaves the choice to the Zebra.

    ``ec`` adds an erasure-coded storage policy; ``policy`` is one of POLICIES, that of new containers. ``encrypt`` encrypts
    what is stored from now on. ``auth`` is one of AUTHS, who knows the users. ``together`` puts all servers into one process.
    Without ``filters`` it is a plain Swift. ``proxy_workers`` are the processes that share the proxy's port.
    ``overrides`` maps ``server/section/option`` (``proxy/proxy_query/zerovm_timeout``) to a value; an empty one takes an
    earlier one back.
    """

    nodes: int | None = None
    port: int | None = None
    ec: bool | None = None
    policy: str | None = None
    encrypt: bool | None = None
    auth: str | None = None
    together: bool = False
    filters: bool = True
    overrides: Mapping[str, str] = field(default_factory=dict)
    proxy_workers: int = 1


@dataclass(frozen=True)
class Settings:
    """One Zebra. What the first version did not have has a default, so that an older Zebra is taken over as it is.

    ``encryption_secret`` is empty where nothing is encrypted; ``service_password``, by which the proxy asks Keystone, where
    there is none. ``ports`` maps ``proxy``, ``object-1`` and so on to the port that it listened on last.
    """

    nodes: int
    ec: bool
    hash_prefix: str
    hash_suffix: str
    fernet_key: str
    ports: Mapping[str, int] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    policy: str = POLICIES[0]
    encryption_secret: str = ""
    auth: str = TEMPAUTH
    service_password: str = ""

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all servers, the proxy first."""
        return (*self.swift_servers, KEYSTONE) if self.auth == KEYSTONE else self.swift_servers

    @property
    def swift_servers(self) -> tuple[str, ...]:
        """The names of Swift's servers, the proxy first."""
        return ("proxy", *(f"{kind}-{node}" for node in self.node_numbers for kind in KINDS))

    @property
    def node_numbers(self) -> range:
        """The numbers of the storage nodes."""
        return range(1, self.nodes + 1)

    @property
    def replicas(self) -> int:
        """Copies of everything: three, or one for each node if there are fewer."""
        return min(REPLICAS, self.nodes)

    @property
    def url(self) -> str:
        """Where the proxy answers."""
        return f"http://{PROXY_ADDRESS}:{self.ports['proxy']}"

    @property
    def keystone_url(self) -> str:
        """Where Keystone answers, if there is one."""
        return f"http://{PROXY_ADDRESS}:{self.ports[KEYSTONE]}/v3"

    def devices(self) -> dict[int, tuple[str, ...]]:
        """The names of every node's devices."""
        return dict.fromkeys(self.node_numbers, ("d1",))

    def with_ports(self, ports: Mapping[str, int]) -> Settings:
        """The same Zebra on other ports."""
        return dataclasses.replace(self, ports=dict(ports))


def address_of(server: str) -> str:
    """The loopback address of a server: 127.0.0.N for everything on node N. Linux answers on all of 127/8 by itself."""
    _, _, node = server.partition("-")
    return f"127.0.0.{node}" if node else PROXY_ADDRESS


def settle(layout: Layout, wish: Wish) -> Settings:
    """The settings that the wish and the Zebra in the directory, if there is one, agree on. Raises SettingsError."""
    check_wish(wish)
    known = load(layout) if layout.is_zebra() else None
    if known is None:
        return _fresh(wish)
    otherwise = "use another directory, or 'zebra down --destroy' first"
    for name, wanted, actual in (("--nodes", wish.nodes, known.nodes), ("--auth", wish.auth, known.auth)):
        if wanted is not None and wanted != actual:
            raise SettingsError(
                f"{layout.directory}: this Zebra was made with {name} {actual}, which can't become {wanted}; {otherwise}"
            )
    if (wish.ec or wish.policy == "ec") and not known.ec:
        raise SettingsError(
            f"{layout.directory}: this Zebra was made without --ec, and a storage policy can't be added later; {otherwise}"
        )
    merged = {**known.overrides, **wish.overrides}
    return dataclasses.replace(
        known,
        overrides={path: value for path, value in merged.items() if value},
        policy=wish.policy or known.policy,
        encryption_secret=known.encryption_secret or (_encryption_secret() if wish.encrypt else ""),
    )


def check_wish(wish: Wish) -> None:
    """Raises SettingsError for what no Zebra can be."""
    if wish.nodes is not None and not 1 <= wish.nodes <= MOST_NODES:
        raise SettingsError(f"--nodes {wish.nodes}: expected 1 to {MOST_NODES}")
    if wish.port is not None and not 1 <= wish.port <= 65535:
        raise SettingsError(f"--port {wish.port}: expected 1 to 65535")
    if wish.policy is not None and wish.policy not in POLICIES:
        raise SettingsError(f"--policy {wish.policy}: expected {' or '.join(POLICIES)}")
    if wish.auth is not None and wish.auth not in AUTHS:
        raise SettingsError(f"--auth {wish.auth}: expected {' or '.join(AUTHS)}")
    if (wish.ec or wish.policy == "ec") and wish.nodes is not None and wish.nodes < EC_DEVICES:
        raise SettingsError(f"--ec needs at least {EC_DEVICES} nodes, there are {wish.nodes}")
    if not 1 <= wish.proxy_workers <= MOST_PROXY_WORKERS:
        raise SettingsError(f"--proxy-workers {wish.proxy_workers}: expected 1 to {MOST_PROXY_WORKERS}")
    if wish.proxy_workers > 1 and wish.together:
        raise SettingsError(f"--proxy-workers {wish.proxy_workers}: with --together there is one process for everything")
    parse_overrides(wish.overrides)


def parse_overrides(overrides: Mapping[str, str]) -> Iterable[tuple[str, str, str, str]]:
    """``(server, section, option, value)`` of each. Raises SettingsError."""
    parsed = []
    for path, value in overrides.items():
        server, _, rest = path.partition("/")
        section, _, option = rest.partition("/")
        if server not in ("proxy", *KINDS) or not section or not option:
            raise SettingsError(f"{path}: expected SERVER/SECTION/OPTION with SERVER one of proxy, {', '.join(KINDS)}")
        if not (path + value).isprintable():
            raise SettingsError(f"{path}: control characters in an option")
        parsed.append((server, section, option, value))
    return parsed


def _fresh(wish: Wish) -> Settings:
    return Settings(
        nodes=wish.nodes or DEFAULT_NODES,
        ec=bool(wish.ec) or wish.policy == "ec",
        hash_prefix=secrets.token_hex(16),
        hash_suffix=secrets.token_hex(16),
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        overrides=dict(wish.overrides),
        policy=wish.policy or POLICIES[0],
        encryption_secret=_encryption_secret() if wish.encrypt else "",
        auth=wish.auth or TEMPAUTH,
        service_password=secrets.token_hex(16) if wish.auth == KEYSTONE else "",
    )


def _encryption_secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def load(layout: Layout) -> Settings:
    """Read ``zebra.json``. Raises DirectoryError."""
    layout.require_zebra()
    try:
        value: Any = simplejson.loads(layout.mark.read_text())
        later = sorted(set(value) - {"format", *(one.name for one in dataclasses.fields(Settings))})
        if value.pop("format") > FORMAT or later:
            raise DirectoryError(f"{layout.mark}: made by a later version of zebra; upgrade this one")
        return Settings(**value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DirectoryError(
            f"{layout.mark}: can't be read ({error}); put back a copy of it, or remove the Zebra by 'zebra down --destroy'"
        ) from error


def save(layout: Layout, settings: Settings) -> None:
    """Write ``zebra.json`` in one step."""
    text = simplejson.dumps({"format": FORMAT, **dataclasses.asdict(settings)}, indent=1)
    fresh = layout.mark.with_name(FRESH_MARK)
    fresh.write_text(text + "\n")
    fresh.chmod(0o600)
    fresh.replace(layout.mark)
