"""Finds out the account's URL and a token from the variables and files that Swift's and OpenStack's tools use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from swiftclient.client import get_auth
from swiftclient.exceptions import ClientException

from . import clouds
from .errors import LoginError
from .reasons import root_reason

VERSION_1 = ("ST_AUTH", "ST_USER", "ST_KEY")
TOKEN = ("OS_STORAGE_URL", "OS_AUTH_TOKEN")
KEYSTONE = ("OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD")
APPLICATION = ("OS_AUTH_URL", "OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_SECRET")
OPTIONS = {
    "project_name": ("OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "project_id": ("OS_PROJECT_ID", "OS_TENANT_ID"),
    "user_domain_name": ("OS_USER_DOMAIN_NAME",),
    "project_domain_name": ("OS_PROJECT_DOMAIN_NAME",),
    "region_name": ("OS_REGION_NAME",),
    "object_storage_url": ("OS_STORAGE_URL",),
    "auth_type": ("OS_AUTH_TYPE",),
    "application_credential_id": ("OS_APPLICATION_CREDENTIAL_ID",),
    "application_credential_secret": ("OS_APPLICATION_CREDENTIAL_SECRET",),
}
"""Options of Keystone, and the variables that give them."""

HELP = (
    "There are no credentials. Set OS_STORAGE_URL and OS_AUTH_TOKEN; or ST_AUTH, ST_USER and ST_KEY; or OS_AUTH_URL, "
    "OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME; or OS_CLOUD, with a clouds.yaml. "
    'For a playground: eval "$(zebra env)"'
)


@dataclass(frozen=True)
class Login:
    """The URL of an account, ``https://host/v1/ACCOUNT``, and a token that opens it."""

    storage_url: str
    token: str

    @property
    def account(self) -> str:
        """The account's name."""
        return self.storage_url.rstrip("/").rpartition("/")[2]


def log_in(variables: Mapping[str, str] | None = None) -> Login:
    """A login from environment variables: the cloud that ``OS_CLOUD`` names in ``clouds.yaml``, else a ready token, else
    TempAuth's user and key, else Keystone's. Raises LoginError."""
    found = os.environ if variables is None else variables
    if name := found.get("OS_CLOUD"):
        return log_in(clouds.variables(name, found))
    if _all(found, TOKEN):
        return Login(found["OS_STORAGE_URL"].rstrip("/"), found["OS_AUTH_TOKEN"])
    if _all(found, VERSION_1):
        return _ask([found[name] for name in VERSION_1], "1", {})
    options = {key: value for key, names in OPTIONS.items() if (value := _first(found, names))}
    if _all(found, APPLICATION):
        return _ask([found[name] for name in APPLICATION], "3", {**options, "auth_type": "v3applicationcredential"})
    if _all(found, KEYSTONE):
        version = found.get("OS_IDENTITY_API_VERSION", "3")
        if version.startswith("2"):  # version 2 called projects tenants
            options = {key.replace("project_", "tenant_"): value for key, value in options.items()}
        return _ask([found[name] for name in KEYSTONE], version, options)
    raise LoginError(HELP)


def _ask(credentials: Sequence[str], version: str, options: Mapping[str, str]) -> Login:
    url, user, key = credentials
    try:
        storage_url, token = get_auth(url, user, key, auth_version=version, os_options=dict(options))
    except ClientException as error:
        if "keystoneclient" in error.msg:  # swiftclient's own sentence names options that are not ours
            raise LoginError('Signing in by Keystone needs another package: pip install "zerocloud[keystone]"') from error
        if "Unable to establish connection" in error.msg:  # keystoneclient's words for it, below swiftclient's
            raise LoginError(f"{url} does not answer: {root_reason(error)}") from error
        reason = error.msg
        if error.http_status == HTTPStatus.UNAUTHORIZED or reason.startswith("Unauthorized"):  # a Keystone's has no status here
            reason = "wrong user or password" if version == "1" else "wrong user, password, project or domain"
        raise LoginError(f"{user} can't sign in at {url}: {reason}") from error
    except OSError as error:
        raise LoginError(f"{url} does not answer: {root_reason(error)}") from error
    return Login(storage_url.rstrip("/"), token)


def _all(variables: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return all(variables.get(name) for name in names)


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
