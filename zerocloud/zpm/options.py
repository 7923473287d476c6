"""Options that several of zpm's commands have: who the user is, and how much is logged. Source: cli, section 1."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from zerocloud.client import Connection, clouds, log_in

from .errors import ZpmError

Function = TypeVar("Function", bound=Callable[..., Any])

LEVELS = ("debug", "info", "warning", "error", "critical")

VERSION_1 = {"auth": "ST_AUTH", "user": "ST_USER", "key": "ST_KEY"}
VERSION_2 = {
    "os_auth_url": "OS_AUTH_URL",
    "os_tenant_name": "OS_TENANT_NAME",
    "os_username": "OS_USERNAME",
    "os_password": "OS_PASSWORD",
}
CLOUD = {"os_cloud": "OS_CLOUD"}
NAMES = {**VERSION_1, **VERSION_2, **CLOUD}
"""Options, as Python names, and the variables that they take the place of."""

SHORT = {"auth": "-A", "user": "-U", "key": "-K"}


def log_level(function: Function) -> Function:
    """``--log-level``."""

    def choose(_context: click.Context, _parameter: click.Parameter, level: str) -> None:
        logging.basicConfig(level=level.upper(), format="%(levelname)s:%(name)s: %(message)s", force=True)

    option = click.option(
        "--log-level",
        "-l",
        type=click.Choice(LEVELS),
        default="warning",
        show_default=True,
        expose_value=False,
        callback=choose,
        help="How much to log, on standard error.",
    )
    return option(function)


def login(function: Function) -> Function:
    """The options that say who the user is; the command gets them as ``credentials``."""
    for name in reversed(NAMES):
        flags = [*([SHORT[name]] if name in SHORT else []), f"--{name.replace('_', '-')}"]
        option = click.option(*flags, name, expose_value=False, callback=_note, help=f"[default: ${NAMES[name]}]")
        function = option(function)
    choice = click.Choice(("1.0", "2.0", "3"))
    version = click.option(
        "-V", "--auth-version", type=choice, expose_value=False, callback=_note, help="[default: by what is set]"
    )
    return version(function)


def connection() -> Connection:
    """A connection for who the options, or else the environment, say. Raises LoginError, ZpmError."""
    variables = chosen_variables()
    return Connection(log_in(variables), renew=lambda: log_in(variables))


def page_credentials() -> Mapping[str, str]:
    """What a zapp's page needs to sign in as the user of this command. Raises LoginError, ZpmError."""
    variables = chosen_variables()
    if cloud := variables.get("OS_CLOUD"):
        variables = clouds.variables(cloud, variables)
    found = _credentials(variables, *VERSION_1.values())
    if found:
        url, user, key = found
        return {"version": "1.0", "authUrl": url, "username": user, "password": key}
    project = variables.get("OS_PROJECT_NAME") or variables.get("OS_TENANT_NAME")
    found = _credentials(variables, "OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD")
    if not found or not project:
        raise ZpmError(
            "--ui-auth puts user and key into the page: set ST_AUTH, ST_USER and ST_KEY, or those of a Keystone, or options"
        )
    url, user, password = found
    known = {"authUrl": url, "username": user, "password": password}
    if variables.get("OS_IDENTITY_API_VERSION", "3").startswith("2"):
        return {"version": "2.0", **known, "tenant": project}
    domains = {"userDomain": "OS_USER_DOMAIN_NAME", "projectDomain": "OS_PROJECT_DOMAIN_NAME"}
    return {
        "version": "3",
        **known,
        "project": project,
        **{key: variables.get(name, "Default") for key, name in domains.items()},
    }


def _credentials(variables: Mapping[str, str], *names: str) -> list[str]:
    """The values of all of these; none if one of them is missing."""
    values = [variables.get(name, "") for name in names]
    return values if all(values) else []


def chosen_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that say who the user is: options first, then the environment. Raises ZpmError."""
    given = click.get_current_context().meta.get(__name__, {})
    options = {variable: given[name] for name, variable in NAMES.items() if given.get(name)}
    around = dict(os.environ if environment is None else environment)
    version = given.get("auth_version")
    if "OS_CLOUD" in options:
        if version or len(options) > 1:
            raise ZpmError("--os-cloud takes all from clouds.yaml: leave the other options of signing in out")
        others = {*VERSION_1.values(), *VERSION_2.values()}
        return {**{name: value for name, value in around.items() if name not in others}, **options}
    if version is None:
        return {**(_without_others(around, options) if options else around), **options}
    wanted = VERSION_1 if version == "1.0" else VERSION_2
    found = {**around, **options}
    tenant = "OS_PROJECT_NAME" if version == "3" and found.get("OS_PROJECT_NAME") else "OS_TENANT_NAME"
    names = [tenant if name == "OS_TENANT_NAME" else name for name in wanted.values()]
    if not all(found.get(name) for name in names):
        told = ["OS_PROJECT_NAME" if version == "3" and name == tenant else name for name in names]
        raise ZpmError(f"Version {version[0]} auth requires {', '.join(told)} to be set or given as options")
    others = {"OS_CLOUD", "OS_AUTH_TOKEN", *(VERSION_2 if version == "1.0" else VERSION_1).values()}
    kept = {name: value for name, value in found.items() if name not in others}
    return kept if version == "1.0" else {**kept, "OS_IDENTITY_API_VERSION": version}


def _without_others(around: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would win over the options' way to sign in."""
    first = set(VERSION_1.values()) & options.keys()
    others = {"OS_CLOUD", "OS_AUTH_TOKEN", *(() if first else VERSION_1.values())}
    return {name: value for name, value in around.items() if name not in others}


def _note(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    context.meta.setdefault(__name__, {})[parameter.name] = value
