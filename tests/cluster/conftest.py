"""A running Zebra for the tests that need a cluster, and a client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.cluster.browser import Page, open_browser
from zerocloud.zebra import Zebra

TIMEOUT = 120
PICTURES = Path(__file__).parents[2] / ".pictures"


class Client:
    """HTTP to one account of a Zebra. Paths are ``container/object``, unquoted; answers are those of ``requests``."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.session = requests.Session()
        # A proxy set in the environment of the test run is none of the cluster's business.
        self.session.trust_env = False
        if token is not None:
            self.session.headers["X-Auth-Token"] = token

    def request(self, method: str, path: str = "", body: bytes | str | None = None, **headers: str) -> requests.Response:
        """One request. Keyword arguments are headers, with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, path, body, named)

    def send(self, method: str, path: str, body: bytes | str | None, headers: Mapping[str, str]) -> requests.Response:
        """One request with headers under their own names."""
        target = f"{self.url}/{quote(path)}" if path else self.url
        return self.session.request(method, target, data=body, headers=dict(headers), timeout=TIMEOUT)

    def put_container(self, name: str, **headers: str) -> str:
        """Make a container; returns its name."""
        self.request("PUT", name, **headers).raise_for_status()
        return name

    def put(self, path: str, body: bytes | str, **headers: str) -> requests.Response:
        """Store an object, or raise HTTPError."""
        response = self.request("PUT", path, body, **headers)
        response.raise_for_status()
        return response

    def get(self, path: str = "", **headers: str) -> requests.Response:
        """Fetch, or raise HTTPError."""
        response = self.request("GET", path, **headers)
        response.raise_for_status()
        return response

    def names(self, container: str) -> list[str]:
        """The names of the objects in a container."""
        return self.get(container).text.splitlines()

    def execute(self, body: bytes | str, content_type: str = "application/json", **headers: str) -> requests.Response:
        """POST a job, whatever becomes of it."""
        return self.request("POST", "", body, X_Zerovm_Execute="1.0", Content_Type=content_type, **headers)

    def close(self) -> None:
        """Close its connections."""
        self.session.close()


def connect(zebra: Zebra, user: str = "test:tester") -> Client:
    """A client for one of the Zebra's users."""
    login = zebra.login(user)
    return Client(login.storage_url, login.token)


@pytest.fixture(scope="session")
def zebra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zebra]:
    """A Zebra of four nodes for the whole run. Tests use containers of their own and leave its processes alone."""
    with Zebra(tmp_path_factory.mktemp("cluster") / "zebra", nodes=4, destroy=True) as running:
        yield running


@pytest.fixture(scope="session")
def page(zebra: Zebra, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The console in a browser, with ``test:tester`` signed in. Tests leave it so."""
    with open_browser(tmp_path_factory.mktemp("browser"), PICTURES) as one:
        one.sign_in(f"{zebra.proxy_url}/console/")
        yield one


@pytest.fixture
def client(zebra: Zebra) -> Iterator[Client]:
    """A client of the account ``test``."""
    one = connect(zebra)
    yield one
    one.close()


@pytest.fixture
def container(client: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A container of the test's own, removed with its objects."""
    name = client.put_container(request.node.name[:200].replace("/", "-"))
    yield name
    for entry in client.names(name):
        client.request("DELETE", f"{name}/{entry}")
    client.request("DELETE", name)


@pytest.fixture(scope="session")
def python_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a small Zebra with the image ``python``, and the container ``c``."""
    with Zebra(tmp_path_factory.mktemp("python") / "zebra", nodes=1, images=("python",), destroy=True) as zebra:
        one = connect(zebra)
        one.put_container("c")
        yield one
        one.close()
