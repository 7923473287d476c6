"""``keystone.conf``, and the filters of Swift's proxy that ask Keystone; as values."""

from __future__ import annotations

from zerocloud.zebra.settings import PROXY_ADDRESS, Settings

DOMAIN = "default"
DATABASE = "keystone.sqlite"
TOKEN_KEYS, CREDENTIAL_KEYS = KEYS = ("fernet", "credential")
SERVICE_USER, SERVICE_PROJECT = "swift", "service"
OPERATOR, RESELLER = "member", "ResellerAdmin"
TOKEN_SECONDS = 24 * 3600
"""As long as TempAuth's tokens hold."""


def keystone_conf() -> dict[str, dict[str, str]]:
    """Sections of ``keystone.conf``. Files are relative to Keystone's folder, where its process is: any name of it will do."""
    return {
        "DEFAULT": {"use_stderr": "true"},
        "database": {"connection": f"sqlite:///{DATABASE}"},
        "fernet_tokens": {"key_repository": TOKEN_KEYS},
        "fernet_receipts": {"key_repository": TOKEN_KEYS},
        "credential": {"key_repository": CREDENTIAL_KEYS},
        "token": {"expiration": str(TOKEN_SECONDS)},
        # bcrypt's fewest rounds, since everybody knows these passwords; and its longest password, or each use is a warning.
        "identity": {"password_hash_rounds": "4", "max_password_length": "72"},
        # One process has the database to itself; without this a token costs a second of work.
        "cache": {"enabled": "true", "backend": "oslo_cache.dict"},
    }


def environment(settings: Settings) -> dict[str, str]:
    """Options by oslo.config's variables: what Keystone wants for the CORS of the console's page it takes from no file but
    ``/etc/keystone/keystone.conf``."""
    port = settings.ports["proxy"]
    return {"OS_CORS__ALLOWED_ORIGIN": f"http://{PROXY_ADDRESS}:{port},http://localhost:{port}"}


def proxy_filters(settings: Settings) -> dict[str, dict[str, str]]:
    """Options of the proxy's filters, in the order of the pipeline."""
    service = {
        "auth_type": "password",
        "auth_url": settings.keystone_url,
        "username": SERVICE_USER,
        "password": settings.service_password,
        "project_name": SERVICE_PROJECT,
        "user_domain_id": DOMAIN,
        "project_domain_id": DOMAIN,
    }
    return {
        "authtoken": {
            "paste.filter_factory": "keystonemiddleware.auth_token:filter_factory",
            "www_authenticate_uri": settings.keystone_url,
            **service,
            "delay_auth_decision": "true",
            "include_service_catalog": "false",
            "service_token_roles_required": "true",
            "cache": "swift.cache",
        },
        # Keystone gives secrets to their owners and administrators only, and the proxy is neither: nothing to cache.
        "s3token": {"auth_uri": settings.keystone_url, **service, "delay_auth_decision": "true", "secret_cache_duration": "0"},
        "keystoneauth": {"operator_roles": f"admin, {OPERATOR}", "reseller_admin_role": RESELLER},
    }
