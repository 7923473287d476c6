"""One signed-in user's way to a ZeroCloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import requests
import simplejson

from .errors import ClientError, NotReachable, Refused
from .login import Login, log_in

Map = str | bytes | list[Any]
"""A system map: its JSON text, or the list that it is."""

CONNECT_SECONDS = 10
CHUNK = 1 << 16
JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What a job answered: what its nodes wrote to outputs without a path, and the cluster's report (HTTP API, section 7)."""

    job: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Runs and explains jobs in one account. Use it as a context manager, or close it."""

    def __init__(self, login: Login, session: requests.Session | None = None) -> None:
        """``session`` is the transport: tests may mount an adapter of their own there."""
        self.login = login
        self._session = session or requests.Session()

    def run(self, job_map: Map, headers: Mapping[str, str] | None = None) -> Answer:
        """Run a job and wait for its end. Raises ClientError; Refused if it fails, with the whole story."""
        response = self._post(job_map, "1.0", headers or {})
        return Answer(response.headers.get("X-Zerovm-Job", ""), response.status_code, dict(response.headers), response.content)

    def explain(self, job_map: Map, form: str = "text/plain") -> str:
        """What a job would do, without running it: ``form`` is a media type (HTTP API, section 18). Raises ClientError."""
        return self._post(job_map, "explain/1.0", {"Accept": f"{form}, {JSON};q=0.1"}).text

    def request(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """Any request to the account; ``path`` is quoted and begins with ``/`` or ``?``. Raises ClientError."""
        more.setdefault("timeout", (CONNECT_SECONDS, None))
        more["headers"] = {"X-Auth-Token": self.login.token, **more.get("headers", {})}
        try:
            response = self._session.request(method, self.login.storage_url + path, **more)
        except requests.RequestException as error:
            raise NotReachable(f"{self.login.storage_url} does not answer: {error}") from error
        if response.status_code >= 400:
            raise _refusal(response)
        return response

    def lines(self, response: requests.Response) -> Iterator[str]:
        """The lines of a streamed answer, as they come. Raises NotReachable."""
        try:
            for line in response.iter_lines(chunk_size=1):
                yield line.decode("utf-8", "replace")
        except requests.RequestException as error:
            raise NotReachable(f"The answer broke off: {error}") from error

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, job_map: Map, execute: str, headers: Mapping[str, str]) -> requests.Response:
        text = job_map if isinstance(job_map, (str, bytes)) else simplejson.dumps(job_map)
        data = text.encode() if isinstance(text, str) else text
        named = {"X-Zerovm-Execute": execute, "Content-Type": JSON, **headers}
        return self.request("POST", data=data, headers=named)


def connect(login: Login | None = None) -> Connection:
    """A connection for a login, or for who the environment says. Raises LoginError."""
    return Connection(login or log_in())


def _refusal(response: requests.Response) -> ClientError:
    """What an error says, whether it was told as text or as JSON."""
    if response.headers.get("Content-Type", "").startswith(JSON):
        try:
            value = response.json()
        except requests.JSONDecodeError:
            value = None
        if isinstance(value, dict):
            return Refused(response.status_code, str(value.get("error", "")), value.get("problems", ()))
    return Refused(response.status_code, response.text)
