"""What the command line shows: tables, and where to go from here."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from zerocloud.zebra.doctor import Finding
from zerocloud.zebra.layout import Layout
from zerocloud.zebra.probe import Login
from zerocloud.zebra.settings import KEYSTONE, Settings, User
from zerocloud.zebra.status import RUNNING

CONSOLE = "/console/"


def welcome(layout: Layout, known: Settings, user: User, detached: bool, console: bool = True) -> RenderableType:
    """The first words after a start. ``console``: whether the page is served."""
    directory = shlex.quote(str(layout.directory))
    url = known.url
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if console:
        grid.add_row("console", Text(f"{url}{CONSOLE}", style="bold"))
    grid.add_row("proxy", Text(url))
    if known.auth == KEYSTONE:
        grid.add_row("keystone", Text(known.keystone_url))
        who = (
            f"user {user.name}, password {user.key}, project {user.account}, domain Default; {user.name} and {user.key} for S3"
        )
    else:
        who = f"{user.login}, key {user.key}; also the S3 access key and secret"
    grid.add_row("account", Text(who))
    first = "date | swift upload hello - --object-name now; swift download hello now -o -"
    grid.add_row("use it", Text(f'eval "$(zebra env --dir {directory})"; {first}'))
    grid.add_row("look", Text(f"zebra status --dir {directory}; zebra logs --dir {directory} --follow"))
    grid.add_row("stop", Text(f"zebra down --dir {directory}" if detached else "Ctrl-C"))
    return Group(Text("The Zebra runs.", style="bold"), grid)


def place(layout: Layout, known: Settings, console: bool = True) -> dict[str, Any]:
    """Where a Zebra is, for programs."""
    return {
        "directory": str(layout.directory),
        "url": known.url,
        "console": f"{known.url}{CONSOLE}" if console else None,
        "keystone": known.keystone_url if known.auth == KEYSTONE else None,
    }


def variables(known: Settings, user: User, login: Login) -> dict[str, str]:
    """What the ``swift`` command and most Swift libraries look for in the environment."""
    if known.auth == KEYSTONE:
        who = {
            "OS_AUTH_URL": known.keystone_url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user.name,
            "OS_PASSWORD": user.key,
            "OS_PROJECT_NAME": user.account,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }
    else:
        who = {"ST_AUTH": f"{known.url}/auth/v1.0", "ST_USER": user.login, "ST_KEY": user.key}
    return {**who, "OS_STORAGE_URL": login.storage_url, "OS_AUTH_TOKEN": login.token}


def s3_variables(known: Settings, user: User) -> dict[str, str]:
    """What S3 clients look for in the environment."""
    return {
        "AWS_ENDPOINT_URL": known.url,
        "AWS_ACCESS_KEY_ID": user.name if known.auth == KEYSTONE else user.login,
        "AWS_SECRET_ACCESS_KEY": user.key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def exported(values: Mapping[str, str]) -> list[str]:
    """Variables as lines for the shell."""
    return [f"export {name}={shlex.quote(value)}" for name, value in values.items()]


def status_table(report: dict[str, Any]) -> RenderableType:
    """The processes, one a row."""
    ec = ", an erasure-coded policy" if report["ec"] else ""
    head = Text(f"{report['directory']}: {report['url']}, {report['replicas']} replicas{ec}, up {duration(report['uptime'])}")
    foot = Text(f"Walls around guests: {report['walls']}.")
    table = Table()
    for name in ("process", "state", "pid", "address", "ports"):
        table.add_column(name)
    for name in ("up", "memory"):
        table.add_column(name, justify="right")
    for process in report["processes"]:
        ports = " ".join(f"{kind}:{port}" for kind, port in process["ports"].items())
        alive = process["state"] == RUNNING
        state = Text(process["ending"] or process["state"], style="green" if alive else "bold red")
        cells = (process["name"], state, str(process["pid"]), process["address"] or "", ports)
        table.add_row(*cells, duration(process["uptime"]), mebibytes(process["memory"]))
    return Group(head, table, foot)


def findings_table(findings: Sequence[Finding]) -> RenderableType:
    """What the doctor has found, one a row, the cures below what they mend."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in findings:
        word, style = ("well", "green") if finding.well else ("ill", "bold red") if finding.fatal else ("note", "yellow")
        grid.add_row(Text(word, style=style), finding.subject, Text(finding.text))
        if finding.cure:
            grid.add_row("", "", Text(f"→ {finding.cure}", style="bold"))
    return grid


def duration(seconds: float | None) -> str:
    """``3d 4h``, ``2h 5m``, ``7m 10s``, ``9s``."""
    if seconds is None:
        return ""
    whole = int(seconds)
    steps = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    for (size, unit), (smaller, small_unit) in itertools.pairwise(steps):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // smaller}{small_unit}"
    return f"{whole}s"


def mebibytes(count: int | None) -> str:
    """``38 MiB``."""
    return "" if count is None else f"{count / (1 << 20):.0f} MiB"
