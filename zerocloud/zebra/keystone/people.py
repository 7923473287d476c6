"""Keystone's projects, users, roles and catalog, made or brought up to date through its own API; what is there stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import simplejson

from zerocloud.zebra.keystone.configuration import DOMAIN, OPERATOR, RESELLER, SERVICE_PROJECT, SERVICE_USER
from zerocloud.zebra.settings import Settings, User

READER, SERVICE = "reader", "service"
STORE = "object-store"

Ask = Callable[[str, str, Any], Any]
"""One request, by method, path and what will be its JSON; what the JSON of the answer says. Raises for a refusal."""


def roles(user: User) -> tuple[str, ...]:
    """The roles that let a user do in Keystone what TempAuth's groups let it do."""
    if ".reseller_admin" in user.groups:
        return (OPERATOR, RESELLER)
    return (OPERATOR,) if ".admin" in user.groups else (READER,)


def sign_in(user: User) -> dict[str, Any]:
    """What a user sends for a token in its project."""
    home = {"id": DOMAIN}
    identity = {"methods": ["password"], "password": {"user": {"name": user.name, "domain": home, "password": user.key}}}
    return {"auth": {"identity": identity, "scope": {"project": {"name": user.account, "domain": home}}}}


@dataclass(frozen=True)
class People:
    """What is there to be found and made, as an administrator whose requests go through ``ask``."""

    ask: Ask

    def settle(self, settings: Settings, users: Iterable[User]) -> None:
        """All of it: the users with their projects, the proxy's own user, and the object store at its present address."""
        self._user(User(SERVICE_PROJECT, SERVICE_USER, settings.service_password), (SERVICE,))
        for user in users:
            self._keys(user, *self._user(user, roles(user)))
        self._store(f"{settings.url}/v1/AUTH_%(project_id)s")

    def _user(self, user: User, named: tuple[str, ...]) -> tuple[str, str]:
        """The ids of a user and its project."""
        project = self._there("project", {"name": user.account, "domain_id": DOMAIN}, {})
        known = {"name": user.name, "domain_id": DOMAIN}
        person = self._there("user", known, {"password": user.key, "default_project_id": project})
        for name in named:
            role = self._there("role", {"name": name}, {})
            self.ask("PUT", f"/v3/projects/{project}/users/{person}/roles/{role}", None)
        return person, project

    def _keys(self, user: User, person: str, project: str) -> None:
        """Its name and password for S3, too."""
        blob = simplejson.dumps({"access": user.name, "secret": user.key})
        self._there("credential", {"user_id": person, "type": "ec2"}, {"project_id": project, "blob": blob})

    def _store(self, url: str) -> None:
        service = self._there("service", {"type": STORE, "name": "swift"}, {})
        endpoint = self._there("endpoint", {"service_id": service, "interface": "public"}, {"url": url})
        self.ask("PATCH", f"/v3/endpoints/{endpoint}", {"endpoint": {"url": url}})

    def _there(self, kind: str, known: dict[str, str], more: dict[str, str]) -> str:
        """The id of the thing that is known by these values; made with ``more`` of them, if there is none."""
        found = self.ask("GET", f"/v3/{kind}s?{urlencode(known)}", None)[f"{kind}s"]
        one = found[0] if found else self.ask("POST", f"/v3/{kind}s", {kind: {**known, **more}})[kind]
        return str(one["id"])
