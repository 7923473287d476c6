"""The options of the filter, read once (HTTP API, section 16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerocloud.configuration import Options


@dataclass(frozen=True)
class Settings:
    """The limits of all queues. Times are in seconds, sizes in bytes.

    ``patience`` is how long an attempt to change a message may take; one that takes longer has failed (``splitter``).
    ``storage_policy`` names the policy of new queues; where it is empty the cluster's default is taken.
    """

    chunk_size: int
    client_timeout: float
    maximum_message: int
    maximum_message_ttl: int
    maximum_listing: int
    maximum_claim: int
    maximum_claim_ttl: int
    patience: int
    storage_policy: str

    @classmethod
    def read(cls, section: Mapping[str, str]) -> Settings:
        """Read a paste section. Raises ConfigurationError."""
        options = Options(section)
        return cls(
            chunk_size=options.integer("network_chunk_size", 65536, 1),
            client_timeout=options.seconds("client_timeout", 60),
            maximum_message=options.integer("max_message_size", 65536, 1),
            maximum_message_ttl=options.integer("max_message_ttl", 3600, 1),
            maximum_listing=options.integer("max_message_listing_limit", 1000, 1),
            maximum_claim=options.integer("max_claim_limit", 10, 1),
            maximum_claim_ttl=options.integer("max_claim_ttl", 60, 1),
            patience=options.integer("claim_patience", 10, 1),
            storage_policy=options.text("queue_storage_policy"),
        )
