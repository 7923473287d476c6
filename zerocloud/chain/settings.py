"""The options of the filter, read once (HTTP API, section 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.configuration import Options


@dataclass(frozen=True)
class Settings:
    """``maximum_map`` bytes of an answer are taken for a map; after ``timeout`` seconds, or ``limit`` jobs, none begins."""

    maximum_map: int
    timeout: float
    limit: int

    @classmethod
    def read(cls, section: Mapping[str, str]) -> Settings:
        """Read a paste section. Raises ConfigurationError."""
        options = Options(section)
        return cls(
            maximum_map=options.integer("zerovm_maxconfig", 65536, 1),
            timeout=options.seconds("chain_timeout", 20),
            limit=options.integer("chain_limit", 32, 1),
        )
