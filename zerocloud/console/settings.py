"""The options of the page, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.configuration import ConfigurationError, Options

AUTH_URL = "/auth/v1.0"
_SOURCE = re.compile(r"https?://[A-Za-z0-9.\-\[\]:*]+")


@dataclass(frozen=True)
class Settings:
    """``auth_url`` is where the page signs in unless its user says otherwise, absolute or a path on the page's own server.

    ``connect`` are the other origins (``https://keys.example.org``) that the page may talk to, besides the one it came from.
    Without ``execution`` it manages files, and offers nothing that runs jobs; who has the right may run them all the same.
    """

    auth_url: str = AUTH_URL
    connect: tuple[str, ...] = ()
    execution: bool = True

    @classmethod
    def read(cls, section: Mapping[str, str]) -> Settings:
        """Read a paste section. Raises ConfigurationError."""
        options = Options(section)
        connect = options.words("connect_sources")
        for source in connect:
            check_source(source)
        return cls(options.text("auth_url", AUTH_URL), connect, options.boolean("execution", True))


def check_source(source: str) -> None:
    """Raises ConfigurationError for what is no origin: it will stand in a policy, where other words have meanings."""
    if not _SOURCE.fullmatch(source):
        raise ConfigurationError(f"{source}: expected an origin such as https://swift.example.org:8080")
