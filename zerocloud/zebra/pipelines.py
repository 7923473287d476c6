"""The order of the filters in front of every server. The samples in ``etc/`` carry the same pipelines; a test holds them equal.

ZeroCloud's proxy filter stands right of the authentication, whose ``swift.authorize`` it needs, and left of everything that
gives objects their meaning (static web, copies, quotas, large objects, versions, symbolic links): what a job reads and writes
through the rest of the pipeline is then what its user would read and write by HTTP. The filter of chains stands just left of
it, and sees only jobs; that of queues needs nothing but the authentication, and the console, for people who have still to sign
in, comes before it.
"""

from __future__ import annotations

CONSOLE_FILTER = "zero_console"
QUEUE_FILTER = "zero_queue"
CHAIN_FILTER = "job_chain"
PROXY_FILTER = "proxy_query"
STORAGE_FILTER = "object_query"
OURS = (CONSOLE_FILTER, QUEUE_FILTER, CHAIN_FILTER, PROXY_FILTER, STORAGE_FILTER)

PROXY = (
    *("catch_errors", "gatekeeper", "healthcheck", "proxy-logging", CONSOLE_FILTER, "cache", "listing_formats", "bulk"),
    *("tempurl", "ratelimit", "s3api", "tempauth", QUEUE_FILTER, CHAIN_FILTER, PROXY_FILTER, "staticweb", "copy"),
    *("container-quotas", "account-quotas", "slo", "dlo", "versioned_writes", "symlink", "proxy-logging", "proxy-server"),
)
ACCOUNT = ("healthcheck", "recon", "account-server")
CONTAINER = ("healthcheck", "recon", STORAGE_FILTER, "container-server")
OBJECT = ("healthcheck", "recon", STORAGE_FILTER, "object-server")

ENCRYPTION = ("keymaster", "encryption")
KEYSTONE = ("authtoken", "s3api", "s3token", "keystoneauth")
"""What stands in place of ``s3api`` and ``tempauth`` where Keystone knows the users."""

PIPELINES = {"proxy": PROXY, "account": ACCOUNT, "container": CONTAINER, "object": OBJECT}


def pipeline(kind: str, filters: bool = True, encrypt: bool = False, keystone: bool = False) -> tuple[str, ...]:
    """The pipeline of ``proxy``, ``account``, ``container`` or ``object``.

    Without ZeroCloud's own if ``filters`` is false; with Swift's encryption, the last to touch an object, if ``encrypt`` is;
    with Keystone in place of TempAuth, if ``keystone`` is.
    """
    names = tuple(name for name in PIPELINES[kind] if filters or name not in OURS)
    if keystone and kind == "proxy":
        at = names.index("tempauth")
        names = (*names[: at - 1], *KEYSTONE, *names[at + 1 :])
    return (*names[:-2], *ENCRYPTION, *names[-2:]) if encrypt and kind == "proxy" else names
